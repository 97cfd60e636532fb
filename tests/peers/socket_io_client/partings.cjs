// How a socket leaves, what each side says of it, and how it comes back.
const assert = require('node:assert');
const { TRANSPORTS, ask, idOf, join, once, server, transportOf } = require('./talk.cjs');

const AGAIN = { reconnection: true };
/// A connection that is lost without a word: a WebSocket is closed, a request fails.
const LOST = { websocket: 'transport close', polling: 'transport error' };

async function comesBack(socket, first) {
  await once(socket, 'connect');
  assert.notStrictEqual(await idOf(socket), first, 'it is somebody new');
  assert.strictEqual(await ask(socket, 'echo', 'back'), 'back');
}

exports.features = {
  async disconnects() {
    const observer = await join();
    for (const transports of TRANSPORTS) {
      const cases = [
        ['io client disconnect', 'client namespace disconnect', (socket) => socket.disconnect()],
        ['io server disconnect', 'server namespace disconnect', (socket) => socket.emit('kick')],
        ['transport close', 'forced close', (socket) => socket.emit('cut')],
        ['io server disconnect', 'server namespace disconnect', (socket) => socket.emit('throw out')],
        ['forced close', 'transport close', (socket) => socket.io.engine.close()],
      ];
      for (const [here, there, part] of cases) {
        const socket = await join({ transports });
        const id = await idOf(socket);
        const gone = once(socket, 'disconnect');
        part(socket);
        assert.strictEqual((await gone)[0], here);
        assert.strictEqual(await ask(observer, 'gone', id), there);
      }
    }
    observer.disconnect();
  },

  async reconnect() {
    for (const transports of TRANSPORTS) {
      const socket = await join({ ...AGAIN, transports });
      const first = await idOf(socket);
      const back = comesBack(socket, first);
      const gone = once(socket, 'disconnect');
      socket.io.engine.close();
      assert.strictEqual((await gone)[0], 'forced close');
      const late = once(socket, 'bounce');
      socket.emit('bounce', 'said while away');
      await back;
      assert.deepStrictEqual(await late, ['said while away']);
      socket.disconnect();
    }
  },

  async recovery() {
    for (const transports of TRANSPORTS) {
      const room = `recovery ${process.pid} ${transports}`;
      const options = { ...AGAIN, transports, path: '/remembering' };
      const [socket, speaker] = [await join(options), await join(options)];
      const id = await idOf(socket);
      await ask(socket, 'join', room);
      const heard = [];
      socket.on('told', (words) => heard.push(words));
      // Again and again, also when nothing was missed.
      for (let round = 0; round < 4; round++) {
        const gone = once(socket, 'disconnect');
        const back = once(socket, 'connect');
        socket.io.engine.close();
        await gone;
        if (round % 2 === 0) {
          speaker.emit('tell', room, round);
          await ask(speaker, 'echo', 'it has been told');
        }
        await back;
        assert.ok(socket.recovered, `round ${round}`);
        assert.strictEqual(await idOf(socket), id);
        assert.strictEqual(await ask(socket, 'echo', 'back'), 'back');
      }
      assert.deepStrictEqual(heard, [0, 2]);
      socket.disconnect();
      speaker.disconnect();
    }
  },

  async restart() {
    const sockets = await Promise.all(TRANSPORTS.map((transports) => join({ ...AGAIN, transports })));
    const first = await Promise.all(sockets.map(idOf));
    const back = sockets.map((socket, i) => comesBack(socket, first[i]));
    const reasons = sockets.map((socket) => once(socket, 'disconnect'));
    await server('stop');
    assert.deepStrictEqual(await Promise.all(reasons.map(async (reason) => (await reason)[0])), Array(3).fill('transport close'));
    await server('start');
    await Promise.all(back);
  },

  async crash() {
    const sockets = await Promise.all(TRANSPORTS.slice(0, 2).map((transports) => join({ ...AGAIN, transports })));
    const words = sockets.map((socket) => LOST[transportOf(socket)]);
    const first = await Promise.all(sockets.map(idOf));
    const back = sockets.map((socket, i) => comesBack(socket, first[i]));
    const reasons = sockets.map((socket) => once(socket, 'disconnect'));
    await server('kill');
    assert.deepStrictEqual(await Promise.all(reasons.map(async (reason) => (await reason)[0])), words);
    await server('start');
    await Promise.all(back);
  },

  async silence() {
    for (const transport of ['websocket', 'polling']) {
      const socket = await join({ transports: [transport], path: '/brisk' });
      const gone = once(socket, 'disconnect');
      await server('freeze');
      assert.strictEqual((await gone)[0], 'ping timeout');
      await server('thaw');
    }
  },
};
