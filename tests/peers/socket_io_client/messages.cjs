// What messages may hold, how large they may be, and how they are answered.
const assert = require('node:assert');
const { TRANSPORTS, ask, askAll, collect, join, numbers, once, version } = require('./talk.cjs');

const LIMIT = 1_000_000;

/// What becomes of it in JSON: a Buffer is what the client hands out for bytes.
const BYTES = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i & 255));

async function eachTransport(check) {
  for (const transports of TRANSPORTS) {
    const socket = await join({ transports });
    await check(socket, transports);
    socket.disconnect();
  }
}

/// The same arguments come back in an event and in an ack.
async function comesBack(socket, ...args) {
  const bounced = once(socket, 'bounce');
  socket.emit('bounce', ...args);
  assert.deepStrictEqual(await bounced, args);
  assert.deepStrictEqual(await askAll(socket, 'echo', ...args), args);
}

/// As many bytes as fit into an event `size` whose message is so many bytes long: packet types, brackets, quotes and commas
/// included. All of msgpack is binary, which a polling request holds as base64.
function room(socket, bytes) {
  const polls = socket.io.engine.transport.name === 'polling';
  // Before version 3 each packet in a request says its length.
  if (version !== 'msgpack') return bytes - '42["size",""]'.length - (version === '2' && polls ? '999992:'.length : 0);
  const { Encoder } = require('socket.io-msgpack-parser');
  const [empty] = new Encoder().encode({ type: 2, data: ['size', ''], options: { compress: true }, nsp: '/' });
  // Of base64 the server takes a 256th more.
  const message = polls ? Math.floor((LIMIT + LIMIT / 256 - 1) / 4) * 3 + bytes - LIMIT : bytes;
  return message - empty.length - LENGTH;
}
/// What the length of a long text of msgpack takes more than that of an empty one.
const LENGTH = 4;
const sized = (socket, bytes) => 'x'.repeat(room(socket, bytes));

/// What the package for msgpack reads and writes in another way than it is.
const only = (what, otherwise = []) => (version === 'msgpack' ? otherwise : what);

const nested = (depth) => numbers(depth).reduce((inner) => [inner], 'deep');

exports.features = {
  binary: () => eachTransport(async (socket) => {
    await comesBack(socket, BYTES);
    await comesBack(socket, Buffer.alloc(0), 'between', Buffer.from([0]));
    await comesBack(socket, { a: [BYTES, { b: Buffer.from([30, 255]) }], c: 'words', d: null });
    socket.emit('size', BYTES);
    assert.deepStrictEqual(await once(socket, 'size'), [BYTES.length]);
  }),

  acks: () => eachTransport(async (socket) => {
    assert.deepStrictEqual(await Promise.all(numbers(200).map((i) => ask(socket, 'echo', i))), numbers(200));
    assert.deepStrictEqual(await askAll(socket, 'echo'), []);
    assert.deepStrictEqual(await askAll(socket, 'nobody hears this', 1), []);
    socket.on('question', (...args) => args.pop()(...args, 'answered'));
    assert.deepStrictEqual(await askAll(socket, 'ask', 'why', [1]), ['why', [1], 'answered']);
    assert.deepStrictEqual(await askAll(socket, 'ask', BYTES), [BYTES, 'answered']);
  }),

  ack_timeout: () => eachTransport(async (socket) => {
    const error = await new Promise((resolve) => socket.timeout(200).emit('silent', resolve));
    assert.match(error.message, /timed out/);
    assert.strictEqual(await socket.timeout(20_000).emitWithAck('echo', 'soon'), 'soon');
  }),

  unanswered: () => eachTransport(async (socket) => {
    const asked = once(socket, 'question');
    assert.strictEqual(await ask(socket, 'ask-briefly', 'why'), 'no answer');
    const [, late] = await asked;
    late('too late');
    assert.strictEqual(await ask(socket, 'echo', 'still here'), 'still here');
  }),

  text: () => eachTransport(async (socket) => {
    const texts = ['', 'é', '\u2028\u2029', 'a\u001eb', '\u0000\u001f\u007f', '🦀 astral 👩‍👩‍👧 𝄞', ...only(['\ud800 alone']), '\\n \\\\ " \' / </script>'];
    for (const text of texts) await comesBack(socket, text, { [text]: text });
    await comesBack(socket, texts.join('').repeat(500));
  }),

  names: () => eachTransport(async (socket) => {
    const names = ['__proto__', 'constructor', 'hasOwnProperty', '', 'é\u2028🦀', 'message', 'n'.repeat(10_000)];
    for (const name of names) {
      const heard = once(socket, name);
      assert.strictEqual(await ask(socket, name, 'by name'), 'by name');
      assert.deepStrictEqual(await heard, ['by name']);
    }
    const odd = JSON.parse(`{${only('"__proto__":[1],', '')}"constructor":null,"":{"toString":2}}`);
    const back = await ask(socket, 'echo', odd);
    assert.strictEqual(JSON.stringify(back), JSON.stringify(odd));
  }),

  values: () => eachTransport(async (socket) => {
    await comesBack(socket, ...numbers(200));
    await comesBack(socket, null, true, false, [], {}, [null], { a: { b: [[], {}] } });
    await comesBack(socket, 0, -1, 1.5e-7, 5e-324, 2 ** 53 - 1, -(2 ** 53), ...only([1.7976931348623157e308, 123456789012345680000]));
    await comesBack(socket, nested(100));
    await comesBack(socket);
    assert.deepStrictEqual(await askAll(socket, 'echo', undefined, [undefined], { a: undefined }, NaN), [null, [null], {}, null]);
  }),

  limit: () => eachTransport(async (socket) => {
    const text = sized(socket, LIMIT);
    socket.emit('size', text);
    assert.deepStrictEqual(await once(socket, 'size'), [text.length]);
    // A polling request has a byte more, for its type, and bytes in it are written as text.
    const most = version === 'msgpack' ? room(socket, LIMIT) : LIMIT - 1;
    const bytes = Buffer.alloc(socket.io.engine.transport.name === 'websocket' ? most : 740_000);
    socket.emit('size', bytes);
    assert.deepStrictEqual(await once(socket, 'size'), [bytes.length]);
  }),

  async over_the_limit() {
    for (const [transport, reason] of [['websocket', 'transport close'], ['polling', 'transport error']]) {
      const socket = await join({ transports: [transport] });
      const gone = once(socket, 'disconnect');
      socket.emit('size', sized(socket, LIMIT + 1));
      assert.strictEqual((await gone)[0], reason);
    }
  },

  async volatile() {
    for (const transports of TRANSPORTS) {
      const room = `volatile ${process.pid} ${transports}`;
      const [socket, other] = [await join({ transports }), await join({ transports })];
      await ask(other, 'join', room);
      const heard = [];
      other.on('number', (number) => heard.push(number));
      // A polling client between two polls gets none.
      while (heard.length === 0) {
        const end = once(other, 'end');
        (version === '2' ? socket : socket.volatile).emit('volatile', room, 1000);
        await end;
      }
      assert.deepStrictEqual(heard, [...new Set(heard)].sort((a, b) => a - b), 'in order, none twice');
      socket.disconnect();
      other.disconnect();
    }
  },

  async flood() {
    // What waits for a client that reads slowly is bounded, but a burst of this size is nothing.
    const socket = await join({ transports: ['polling'] });
    const answers = collect(socket, 'bounce', 50);
    for (const number of numbers(50)) socket.emit('bounce', number, 'x'.repeat(30_000));
    assert.deepStrictEqual(await answers, numbers(50));
    socket.disconnect();
  },
};
