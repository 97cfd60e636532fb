// The WebSocket library `ws` as a peer: what its frames look like is its business, what they say must arrive.
// Until all has come true: Node ends when nothing is left to wait for, also where a promise still waits.
process.exitCode = 2;

const assert = require('node:assert');
const { WebSocket } = require('ws');

const compressed = process.argv[3] === 'compressed';
const url = process.argv[2].replace('http', 'ws') + '/socket.io/?EIO=4&transport=websocket';

function open(options) {
  const socket = new WebSocket(url, options);
  const queue = [];
  const waiting = [];
  socket.on('message', (data, binary) => {
    const message = binary ? data : data.toString();
    waiting.length ? waiting.shift()(message) : queue.push(message);
  });
  socket.next = () => queue.length ? Promise.resolve(queue.shift()) : new Promise((resolve) => waiting.push(resolve));
  return socket;
}

async function join(options) {
  const socket = open(options);
  assert.match(await socket.next(), /^0\{/);
  socket.send('40');
  assert.match(await socket.next(), /^40\{"sid":/);
  return socket;
}

(async () => {
  const socket = await join();
  assert.strictEqual(socket.extensions, compressed ? 'permessage-deflate' : '');

  for (const length of [0, 1, 125, 126, 65_535, 65_536, 900_000]) {
    const text = 'é'.repeat(length / 2);
    socket.send(`421["echo",${JSON.stringify(text)}]`);
    assert.strictEqual(await socket.next(), `431[${JSON.stringify(text)}]`);
  }

  // In fragments, with a ping between.
  const pong = new Promise((resolve) => socket.once('pong', resolve));
  socket.send('422["ec', { fin: false });
  socket.ping('between');
  socket.send('ho","🦀 in ', { fin: false });
  socket.send('pieces"]', { fin: true });
  assert.strictEqual((await pong).toString(), 'between');
  assert.strictEqual(await socket.next(), '432["🦀 in pieces"]');

  // Binary, there and back.
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i & 255));
  socket.send('451-3["echo",{"_placeholder":true,"num":0}]');
  socket.send(bytes);
  assert.strictEqual(await socket.next(), '461-3[{"_placeholder":true,"num":0}]');
  assert.deepStrictEqual(await socket.next(), bytes);

  // A thousand at once, in order.
  for (let i = 0; i < 1000; i++) socket.send(`42${i}["echo",${i}]`);
  for (let i = 0; i < 1000; i++) assert.strictEqual(await socket.next(), `43${i}[${i}]`);

  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.close(1000);
  assert.strictEqual(await closed, 1000);

  // Beyond the limit.
  const greedy = await join();
  const refused = new Promise((resolve) => greedy.once('close', resolve));
  greedy.on('error', () => {});
  greedy.send('x'.repeat(1_000_001));
  assert.strictEqual(await refused, 1009);
})().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
