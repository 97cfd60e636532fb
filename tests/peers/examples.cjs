// An official client of the examples in `server/examples`: `examples.cjs URL EXAMPLE` does what the example's head tells people to
// do, and fails if anything else comes of it.
const assert = require('node:assert');
const { io } = require('socket.io-client');

const [, , url, example] = process.argv;
const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));

async function join(options = {}) {
  const socket = io(url, { forceNew: true, reconnection: false, ...options });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
  return socket;
}

const examples = {
  async echo() {
    const [ann, bob] = [await join(), await join()];
    const heard = once(bob, 'chat');
    ann.emit('chat', 'hello', 1);
    assert.deepStrictEqual(await heard, ['hello', 1]);
    assert.deepStrictEqual(await ann.emitWithAck('echo', { a: [1] }), { a: [1] });
  },

  async rooms() {
    const [ann, bob, eve] = [await join(), await join(), await join()];
    await ann.emitWithAck('join', 'kitchen');
    const joined = once(ann, 'joined');
    await bob.emitWithAck('join', 'kitchen');
    assert.deepStrictEqual(await joined, ['kitchen', bob.id]);
    eve.on('said', () => assert.fail('she is in no room'));
    const said = once(bob, 'said');
    await ann.emitWithAck('say', 'kitchen', 'tea?');
    assert.deepStrictEqual(await said, ['kitchen', 'tea?']);
    assert.deepStrictEqual((await eve.emitWithAck('who', 'kitchen')).sort(), [ann.id, bob.id].sort());
    assert.deepStrictEqual(await eve.emitWithAck('say', 'kitchen', 'me too'), { error: { message: 'you are not in that room' } });
    assert.ok((await ann.emitWithAck('say', 'kitchen')).error, 'an argument is missing');
    await bob.emitWithAck('leave', 'kitchen');
    assert.deepStrictEqual(await eve.emitWithAck('who', 'kitchen'), [ann.id]);
  },

  async acks() {
    const ann = io(url, { forceNew: true });
    const named = new Promise((resolve) => ann.once('name?', (answer) => resolve(answer('Ann'))));
    await once(ann, 'connect');
    await named;
    assert.strictEqual(await ann.emitWithAck('divide', 6, 3), 2);
    assert.deepStrictEqual(await ann.emitWithAck('divide', 6, 0), { error: { message: 'by zero' } });
    assert.strictEqual(await ann.emitWithAck('later'), 'it is later now');
    for (const vote of ['yes', 'no', 'yes', undefined]) {
      const socket = await join();
      socket.on('name?', (answer) => answer('nobody'));
      socket.on('vote', (question, answer) => {
        assert.strictEqual(question, 'Tea?');
        if (vote) answer(vote);
      });
    }
    assert.deepStrictEqual(await ann.emitWithAck('ask everybody', 'Tea?'), { yes: 2, no: 1, silent: 1 });
  },

  async auth() {
    const stranger = io(url, { forceNew: true, auth: { token: 'open' } });
    const [error] = await once(stranger, 'connect_error');
    assert.strictEqual(error.message, 'nobody is called that');
    assert.strictEqual(error.data, 'unknown token');
    await assert.rejects(join());
    const ali = await join({ auth: { token: 'sesame' } });
    assert.strictEqual(await ali.emitWithAck('who am I'), 'Ali Baba');
    assert.deepStrictEqual(await ali.emitWithAck('close the shop'), { error: 'only the porter may' });
    const closed = once(ali, 'closed');
    const porter = await join({ auth: { token: 'the keys' } });
    assert.strictEqual(await porter.emitWithAck('close the shop'), 'good night');
    await closed;
  },

  async binary() {
    const [ann, bob] = [await join(), await join()];
    const shown = once(bob, 'picture');
    const pixels = Buffer.from([1, 2, 3, 255]);
    assert.strictEqual(await ann.emitWithAck('put', { title: 'cat', pixels: new Uint8Array(pixels) }), 4);
    assert.deepStrictEqual(await shown, [{ title: 'cat', pixels }]);
    assert.deepStrictEqual(await bob.emitWithAck('get', 'cat'), { title: 'cat', pixels });
    assert.ok((await bob.emitWithAck('get', 'dog')).error);
    const turned = once(ann, 'picture');
    ann.emit('picture', { title: 'cat', pixels });
    assert.deepStrictEqual((await turned)[0].pixels, Buffer.from([255, 3, 2, 1]));
  },

  async typed() {
    const [ann, bob] = [await join(), await join()];
    const ordered = once(bob, 'ordered');
    const asked = new Promise((resolve) => ann.once('enjoying?', (_, answer) => resolve(answer(true))));
    assert.strictEqual(await ann.emitWithAck('order', { dish: 'soup', portions: 2 }), 8);
    assert.deepStrictEqual(await ordered, [{ dish: 'soup' }]);
    await asked;
    assert.deepStrictEqual(await ann.emitWithAck('order', { dish: 'stone', portions: 1 }), { error: 'not_on_the_menu' });
    assert.deepStrictEqual(await ann.emitWithAck('order', { dish: 'stew', portions: 11 }), { error: { too_many: { at_most: 10 } } });
  },

  async embedding() {
    const page = await fetch(url);
    assert.match(await page.text(), /<h1>News<\/h1>/);
    const ann = await join();
    const here = once(ann, 'news');
    const bob = await join({ extraHeaders: { 'X-User': 'Bob' } });
    assert.deepStrictEqual(await here, ['Bob is here']);
    const news = once(bob, 'news');
    const answer = await fetch(`${url}/announce`, { method: 'POST', body: 'tea is ready' });
    assert.strictEqual(answer.status, 202);
    assert.deepStrictEqual(await news, ['tea is ready']);
    assert.strictEqual(await bob.emitWithAck('how many'), 1);
  },
};

// Also when nothing is left to wait for: what was to come has not come then.
process.exitCode = 1;

(async () => {
  if (!examples[example]) throw new Error(`there is no example ${example}`);
  await examples[example]();
})().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
