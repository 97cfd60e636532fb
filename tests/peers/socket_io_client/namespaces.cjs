// Namespaces, rooms, and who is let in.
const assert = require('node:assert');
const { TRANSPORTS, ask, askAll, idOf, join, once, open, version } = require('./talk.cjs');

const failure = version === '2' ? 'error' : 'connect_error';

/// A refusal holds what the server gave it; of version 2 the data alone, or else the message.
function isRefusal(error, message, data) {
  if (version === '2') return assert.deepStrictEqual(error, data ?? message);
  assert.strictEqual(error.message, message);
  assert.deepStrictEqual(error.data, data);
}

exports.features = {
  async refusal() {
    for (const transports of TRANSPORTS) {
      const refused = open({ transports }, '/refused');
      isRefusal((await once(refused, failure))[0], 'go away', { code: 7 });
      assert.ok(!refused.connected);
      const unknown = refused.io.socket('/unknown');
      isRefusal((await once(unknown, failure))[0], 'Invalid namespace');
      // The connection is not to blame.
      const other = refused.io.socket('/second');
      await once(other, 'connect');
      assert.strictEqual(await ask(other, 'echo', 1), 1);
      other.disconnect();
      refused.io.engine.close();
    }
  },

  async auth() {
    // Of version 2 it is a query.
    const name = version === '2' ? 'query' : 'auth';
    const refused = open({ [name]: { token: 'wrong' } }, '/auth');
    isRefusal((await once(refused, failure))[0], 'go away', { code: 7 });
    // It tries again with a better one, on the same connection.
    const better = { token: 'right', words: 'é\u2028🦀' };
    refused[name] = version === '2' ? better : (done) => done(better);
    refused.connect();
    await once(refused, 'connect');
    assert.strictEqual(await ask(refused, 'echo', 'in'), 'in');
    refused.disconnect();
  },

  async namespaces() {
    for (const transports of TRANSPORTS) {
      const main = await join({ transports });
      const second = main.io.socket('/second');
      await once(second, 'connect');
      assert.notStrictEqual(await idOf(second), undefined);
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

  async dynamic() {
    for (const transports of TRANSPORTS) {
      const name = `/of/${process.pid}-${transports.join('-')}-🦀`;
      const [socket, other] = [await join({ transports }, name), await join({ transports }, name)];
      const heard = once(other, 'shout');
      socket.emit('shout', 'only here');
      assert.deepStrictEqual(await heard, ['only here']);
      socket.disconnect();
      other.disconnect();
      // Nobody is in it any more; it comes again with whoever comes.
      const later = await join({ transports }, name);
      assert.strictEqual(await ask(later, 'echo', 'later'), 'later');
      later.disconnect();
    }
  },

  async survey() {
    for (const transports of TRANSPORTS) {
      const room = `survey ${process.pid} ${transports}`;
      const [asker, ...others] = await Promise.all([1, 2, 3, 4].map(() => join({ transports })));
      for (const socket of others) await ask(socket, 'join', room);
      others.forEach((socket, index) => socket.on('question', (question, answer) => index < 2 && answer([question, index])));
      const [answers, silent] = await askAll(asker, 'survey', room, 'why');
      assert.deepStrictEqual(answers.sort(), [['why', 0], ['why', 1]]);
      assert.strictEqual(silent, 1);
      for (const socket of [asker, ...others]) socket.disconnect();
    }
  },

  async broadcast() {
    for (const transports of TRANSPORTS) {
      const name = `/of/broadcast-${process.pid}-${transports.join('-')}`;
      const [speaker, other] = [await join({ transports }, name), await join({ transports }, name)];
      const heard = [];
      speaker.on('shout', () => heard.push('speaker'));
      const shouted = once(other, 'shout');
      speaker.emit('shout', Buffer.from('to all others'));
      assert.deepStrictEqual(await shouted, [Buffer.from('to all others')]);
      await ask(speaker, 'echo', 'after all that was sent before');
      assert.deepStrictEqual(heard, [], 'who says it does not hear it');
      speaker.disconnect();
      other.disconnect();
    }
  },
};
