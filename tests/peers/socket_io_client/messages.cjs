// What messages may hold, how large they may be, and how they are answered.
const assert = require('node:assert');
const { TRANSPORTS, ask, askAll, collect, join, numbers, once, transportOf, version } = require('./talk.cjs');

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

/// For an event `size` that is just as long as the server takes it, or that many bytes longer.
function sized(transport, more = 0) {
  const polling = transport === 'polling';
  if (version === 'msgpack') {
    // What stands around the text is 48 bytes, and in a request all of it is base64.
    return 'x'.repeat((polling ? 749_997 : LIMIT) - 48 + more);
  }
  // Of version 2 a packet in a request comes behind its length.
  const packet = polling && version === '2' ? LIMIT - '999993:'.length : LIMIT;
  return 'x'.repeat(packet - '42["size",""]'.length + more);
}

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
    const transport = transportOf(socket);
    const text = sized(transport);
    socket.emit('size', text);
    assert.deepStrictEqual(await once(socket, 'size'), [text.length]);
    // An attachment may have a byte for its type, and in a request it is written as text.
    const attached = transport === 'websocket' ? LIMIT - 1 : 740_000;
    const bytes = Buffer.alloc(Math.min(attached, text.length));
    socket.emit('size', bytes);
    assert.deepStrictEqual(await once(socket, 'size'), [bytes.length]);
  }),

  async over_the_limit() {
    for (const [transport, reason] of [['websocket', 'transport close'], ['polling', 'transport error']]) {
      const socket = await join({ transports: [transport] });
      const gone = once(socket, 'disconnect');
      socket.emit('size', sized(transport, 1));
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
