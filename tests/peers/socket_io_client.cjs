// The official socket.io-client: over each transport, and from one to the other, it must not notice a difference.
const assert = require('node:assert');
const { io } = require('socket.io-client');

const url = process.argv[2];
const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));

async function talk(transports) {
  const socket = io(url, { transports, forceNew: true, reconnection: false });
  await once(socket, 'connect');

  assert.deepStrictEqual(await socket.emitWithAck('echo', 'hello'), 'hello');
  const odd = ['é🦀', '\u2028', 'a\u001eb', '__proto__', { __proto: [1, null, 'x'] }, 1.5e-7, true];
  for (const value of odd) assert.deepStrictEqual(await socket.emitWithAck('echo', value), value);

  const bytes = Buffer.from([0, 1, 2, 254, 255]);
  assert.deepStrictEqual(Buffer.from(await socket.emitWithAck('echo', bytes)), bytes);

  const other = io(url, { transports, forceNew: true, reconnection: false });
  await once(other, 'connect');
  const heard = once(other, 'shout');
  socket.emit('shout', 'to the others');
  assert.deepStrictEqual(await heard, ['to the others']);

  // Order, a thousand in flight, while the transport may change under way.
  const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => socket.emitWithAck('echo', i)));
  assert.deepStrictEqual(answers, Array.from({ length: 1000 }, (_, i) => i));

  const gone = once(other, 'disconnect');
  other.disconnect();
  assert.deepStrictEqual((await gone)[0], 'io client disconnect');
  const transport = socket.io.engine.transport.name;
  socket.disconnect();
  return transport;
}

(async () => {
  assert.strictEqual(await talk(['websocket']), 'websocket');
  assert.strictEqual(await talk(['polling']), 'polling');
  assert.strictEqual(await talk(['polling', 'websocket']), 'websocket');

  const refused = io(url + '/refused', { forceNew: true, reconnection: false });
  const [error] = await once(refused, 'connect_error');
  assert.strictEqual(typeof error.message, 'string');
  assert.ok(error.data !== undefined, 'the refusal carries data');
  refused.disconnect();
})().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
