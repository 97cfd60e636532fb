// Namespaces, rooms, and who is let in.
const assert = require('node:assert');
const { TRANSPORTS, ask, idOf, join, once, open, version } = require('./talk.cjs');

const failure = version === '2' ? 'error' : 'connect_error';

exports.features = {
  async refusal() {
    for (const transports of TRANSPORTS) {
      const refused = open({ transports }, '/refused');
      const [error] = await once(refused, failure);
      assert.strictEqual(error.message, 'go away');
      assert.deepStrictEqual(error.data, { code: 7 });
      assert.ok(!refused.connected);
      const unknown = refused.io.socket('/unknown');
      unknown.connect();
      assert.strictEqual((await once(unknown, failure))[0].message, 'Invalid namespace');
      // The connection is not to blame.
      const other = refused.io.socket('/second');
      other.connect();
      await once(other, 'connect');
      assert.strictEqual(await ask(other, 'echo', 1), 1);
      other.disconnect();
      refused.io.engine.close();
    }
  },

  async auth() {
    const refused = open({ auth: { token: 'wrong' } }, '/auth');
    assert.strictEqual((await once(refused, 'connect_error'))[0].message, 'go away');
    // It tries again with a better one, on the same connection.
    refused.auth = (done) => done({ token: 'right', words: 'é\u2028🦀' });
    refused.connect();
    await once(refused, 'connect');
    assert.strictEqual(await ask(refused, 'echo', 'in'), 'in');
    refused.disconnect();
  },

  async namespaces() {
    for (const transports of TRANSPORTS) {
      const main = await join({ transports });
      const second = main.io.socket('/second');
      second.connect();
      await once(second, 'connect');
      assert.notStrictEqual(idOf(second), undefined);
      const heard = [];
      main.on('bounce', () => heard.push('main'));
      second.on('bounce', () => heard.push('second'));
      second.emit('bounce', Buffer.from([1]));
      assert.strictEqual(await ask(second, 'echo', 'x'), 'x');
      assert.deepStrictEqual(heard, ['second'], 'each namespace hears its own');
      second.disconnect();
      assert.strictEqual(await ask(main, 'echo', 'y'), 'y', 'leaving one leaves the others alone');
      // And it may come back.
      second.connect();
      await once(second, 'connect');
      assert.strictEqual(await ask(second, 'echo', 'z'), 'z');
      main.disconnect();
      second.disconnect();
    }
  },

  async rooms() {
    for (const transports of TRANSPORTS) {
      const room = `room of ${process.pid} ${transports}`;
      const [speaker, member, stranger] = await Promise.all([1, 2, 3].map(() => join({ transports })));
      for (const socket of [speaker, member]) assert.strictEqual(await ask(socket, 'join', room), 'joined');
      const heard = [];
      for (const [name, socket] of Object.entries({ speaker, member, stranger })) {
        socket.on('told', (words) => heard.push([name, words]));
      }
      const told = once(member, 'told');
      speaker.emit('tell', room, { words: '🦀' });
      await told;
      assert.strictEqual(await ask(member, 'leave', room), 'left');
      speaker.emit('tell', room, 'nobody hears this');
      for (const socket of [speaker, member, stranger]) await ask(socket, 'echo', 'after all that was sent before');
      assert.deepStrictEqual(heard, [['member', { words: '🦀' }]]);
      for (const socket of [speaker, member, stranger]) socket.disconnect();
    }
  },

  async broadcast() {
    for (const transports of TRANSPORTS) {
      const [speaker, other] = [await join({ transports }, '/second'), await join({ transports }, '/second')];
      const name = `shout of ${process.pid}`;
      const heard = [];
      speaker.on('shout', (from) => from === name && heard.push('speaker'));
      const shouted = new Promise((resolve) => other.on('shout', (from, bytes) => from === name && resolve(bytes)));
      speaker.emit('shout', name, Buffer.from('to all others'));
      assert.deepStrictEqual(await shouted, Buffer.from('to all others'));
      await ask(speaker, 'echo', 'after all that was sent before');
      assert.deepStrictEqual(heard, [], 'who says it does not hear it');
      speaker.disconnect();
      other.disconnect();
    }
  },
};
