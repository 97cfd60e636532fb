// The official socket.io-client comes back again and again, over each transport and from each kind of death: it must be
// recovered each time, and in the end have heard every number once and in order.
const assert = require('node:assert');
const { io } = require('socket.io-client');

const url = process.argv[2];
const CUTS = 12;
const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));

// How a connection ends. Only the first is told to the server; of the last it hears nothing at all.
const deaths = {
  polite: (engine) => engine.close(),
  broken: (engine) => (engine.transport.ws ? engine.transport.ws._socket.destroy() : engine._onClose('broken')),
  silent: (engine) => {
    engine.transport.doClose = () => {};
    engine._onClose('silent');
  },
};

async function live(transports, death) {
  const socket = io(url, { transports, forceNew: true, reconnectionDelay: 5, reconnectionDelayMax: 40 });
  const heard = [];
  let wake = () => {};
  socket.on('number', (number) => {
    heard.push(number);
    wake();
  });
  const until = async (enough) => {
    while (!enough()) await new Promise((resolve) => (wake = resolve));
  };
  await once(socket, 'connect');
  assert.ok(!socket.recovered);
  const id = socket.id;
  const first = await socket.emitWithAck('join');
  for (let cut = 0; cut < CUTS; cut++) {
    // The first time perhaps before anything was heard.
    const enough = heard.length + (cut === 0 ? 0 : Math.floor(Math.random() * 30));
    await until(() => heard.length >= enough);
    const back = once(socket, 'connect');
    deaths[death](socket.io.engine);
    await back;
    assert.ok(socket.recovered, `${transports} ${death}: recovered after cut ${cut}`);
    assert.strictEqual(socket.id, id);
  }
  return { socket, heard, first, until };
}

async function strangers() {
  const socket = io(url, { forceNew: true, reconnectionDelay: 5 });
  await once(socket, 'connect');
  const id = socket.id;
  // Who says goodbye is not waited for.
  socket.disconnect();
  socket.connect();
  await once(socket, 'connect');
  assert.ok(!socket.recovered && socket.id !== id);
  // Who was put out is not either.
  socket.emit('put me out');
  assert.deepStrictEqual((await once(socket, 'disconnect'))[0], 'io server disconnect');
  socket.connect();
  await once(socket, 'connect');
  assert.ok(!socket.recovered);
  socket.disconnect();
}

// Also when nothing is left to wait for: what was to come has not come then.
process.exitCode = 1;

(async () => {
  const ways = [['websocket'], ['polling'], ['polling', 'websocket']];
  const lives = ways.flatMap((transports) => Object.keys(deaths).map((death) => live(transports, death)));
  const clients = await Promise.all([...lives, strangers()]);
  const last = await clients[0].socket.emitWithAck('stop');
  for (const client of clients.filter(Boolean)) {
    await client.until(() => client.heard.at(-1) === last);
    // What everybody was told before it had joined does not count.
    const heard = client.heard.filter((number) => number >= client.first);
    assert.deepStrictEqual(heard, Array.from({ length: last - client.first + 1 }, (_, i) => client.first + i));
    assert.ok(heard.length > 100);
  }
})().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
