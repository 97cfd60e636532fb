// The official engine.io-client: `engine_io_client.cjs URL FEATURE` tries one feature of the matrix on Engine.IO alone, and fails if
// anything is not as with the official server.
const assert = require('node:assert');
const { Socket } = require('engine.io-client');

const [, , url, feature] = process.argv;
const LIMIT = 1_000_000;
const COUNT = 1000;
const TRANSPORTS = [['websocket'], ['polling'], ['polling', 'websocket']];

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));

async function open(transports, path = '/engine.io/') {
  const socket = new Socket(url, { path, transports });
  socket.binaryType = 'arraybuffer';
  await once(socket, 'open');
  return socket;
}

/// A thousand messages there and back, ten on the way at a time.
async function converse(socket) {
  const answers = [];
  let sent = 0;
  const more = () => {
    for (let i = 0; i < 10 && sent < COUNT; i++) socket.send(`number ${sent++}`);
  };
  await new Promise((resolve) => {
    socket.on('message', function listen(message) {
      answers.push(message);
      more();
      if (answers.length < COUNT) return;
      socket.off('message', listen);
      resolve();
    });
    more();
  });
  assert.deepStrictEqual(answers, Array.from({ length: COUNT }, (_, i) => `number ${i}`));
}

async function comesBack(socket, message) {
  socket.send(message);
  const [back] = await once(socket, 'message');
  assert.deepStrictEqual(typeof message === 'string' ? back : Buffer.from(back), message);
}

async function alone(transport) {
  const socket = await open([transport]);
  await converse(socket);
  assert.strictEqual(socket.transport.name, transport);
  socket.close();
}

async function each(check) {
  for (const transports of TRANSPORTS) {
    const socket = await open(transports);
    await check(socket);
    socket.close();
  }
}

const features = {
  websocket: () => alone('websocket'),
  polling: () => alone('polling'),

  async upgrade() {
    for (let round = 0; round < 10; round++) {
      const socket = await open(['polling', 'websocket']);
      const upgraded = once(socket, 'upgrade');
      await converse(socket);
      await upgraded;
      await comesBack(socket, 'afterwards');
      assert.strictEqual(socket.transport.name, 'websocket');
      socket.close();
    }
  },

  binary: () => each(async (socket) => {
    await comesBack(socket, Buffer.from(Array.from({ length: 70_000 }, (_, i) => i & 255)));
    await comesBack(socket, Buffer.from([30]));
  }),

  text: () => each(async (socket) => {
    for (const text of ['é', '\u2028\u2029', '\u0000\u001f', '🦀 astral 𝄞', '\\n " \\']) await comesBack(socket, text);
  }),

  limit: () => each((socket) => comesBack(socket, 'x'.repeat(LIMIT - 1))),

  async over_the_limit() {
    for (const [transport, reason] of [['websocket', 'transport close'], ['polling', 'transport error']]) {
      const socket = await open([transport]);
      const gone = once(socket, 'close');
      socket.send('x'.repeat(LIMIT));
      assert.strictEqual((await gone)[0], reason);
    }
  },

  closing: () => each(async (socket) => {
    const gone = once(socket, 'close');
    socket.close();
    assert.strictEqual((await gone)[0], 'forced close');
  }),
};

// Also when nothing is left to wait for: what was to come has not come then.
process.exitCode = 1;

(async () => {
  if (!features[feature]) throw new Error(`there is no feature ${feature}`);
  await features[feature]();
})().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
