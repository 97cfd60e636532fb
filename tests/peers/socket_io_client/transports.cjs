// Over which transport, and for how long.
const assert = require('node:assert');
const { ask, collect, join, numbers, once, open, transportOf, version } = require('./talk.cjs');

const COUNT = 1000;

async function converse(socket) {
  const [numbered, echoed] = [collect(socket, 'number', COUNT), collect(socket, 'bounce', COUNT)];
  socket.emit('count', COUNT);
  for (const number of numbers(COUNT)) socket.emit('bounce', number);
  assert.deepStrictEqual(await numbered, numbers(COUNT), 'what the server says by itself is in order');
  assert.deepStrictEqual(await echoed, numbers(COUNT), 'what it says back is in order');
}

async function alone(transport) {
  const socket = await join({ transports: [transport] });
  await converse(socket);
  assert.strictEqual(transportOf(socket), transport);
  socket.disconnect();
}

async function change() {
  const socket = await join({ transports: ['polling', 'websocket'] });
  if (transportOf(socket) === 'polling') await once(socket.io.engine, 'upgrade');
  await converse(socket);
  assert.strictEqual(transportOf(socket), 'websocket');
  socket.disconnect();
}

/// A thousand messages each way, ten on the way at a time, so that the change happens among them.
async function upgrade() {
  const socket = open({ transports: ['polling', 'websocket'], path: '/late' });
  await once(socket, 'connect');
  assert.strictEqual(transportOf(socket), 'polling');
  let before;
  const answered = collect(socket, 'bounce', COUNT);
  const numbered = collect(socket, 'number', COUNT);
  let sent = 0;
  const more = () => {
    for (let i = 0; i < 10 && sent < COUNT; i++) socket.emit('bounce', ++sent);
  };
  socket.on('bounce', more);
  const upgraded = once(socket.io.engine, 'upgrade').then(() => { before = sent; });
  more();
  for (const half of [COUNT / 2, COUNT / 2]) socket.emit('count', half);
  assert.deepStrictEqual(await answered, numbers(COUNT), 'in order, each once');
  assert.deepStrictEqual(await numbered, [...numbers(COUNT / 2), ...numbers(COUNT / 2)], 'these too');
  await upgraded;
  assert.strictEqual(transportOf(socket), 'websocket');
  assert.ok(before < COUNT, 'it has changed under way');
  socket.disconnect();
}

exports.features = {
  websocket: () => alone('websocket'),
  polling: () => alone('polling'),
  change,

  async upgrade() {
    for (let round = 0; round < 5; round++) await upgrade();
  },

  async heartbeat() {
    for (const transport of ['websocket', 'polling']) {
      const socket = await join({ transports: [transport], path: '/lively' });
      // From version 3 on the server pings, before that the client.
      const beat = version === '2' ? 'pong' : 'ping';
      await collect(socket.io, beat, 4);
      assert.strictEqual(await ask(socket, 'echo', 'alive'), 'alive');
      socket.disconnect();
    }
  },
};
