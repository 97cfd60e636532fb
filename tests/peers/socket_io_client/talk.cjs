// What all features are written with. Owns the one place that knows how the two major versions differ.
const readline = require('node:readline');

const [, , version, url] = process.argv;
const io = version === '2' ? require('socket.io-client-2') : require('socket.io-client').io;

/// Each transport on its own, and the change from one to the other.
const TRANSPORTS = [['websocket'], ['polling'], ['polling', 'websocket']];

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));

/// A socket that is not connected yet, and does not try again unless told.
function open(options = {}, namespace = '/') {
  return io(url + namespace, { forceNew: true, reconnection: false, reconnectionDelay: 20, ...options });
}

async function join(options, namespace) {
  const socket = open(options, namespace);
  const refused = version === '2' ? ['connect_error', 'error'] : ['connect_error'];
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    for (const event of refused) socket.once(event, reject);
  });
  return socket;
}

/// The first argument of the answer, once it comes.
const ask = (socket, event, ...args) => new Promise((resolve) => socket.emit(event, ...args, resolve));
/// All arguments of it.
const askAll = (socket, event, ...args) =>
  new Promise((resolve) => socket.emit(event, ...args, (...answer) => resolve(answer)));

/// The next `count` events of that name, the first argument of each.
function collect(socket, event, count) {
  const collected = [];
  return new Promise((resolve) => socket.on(event, function listen(value) {
    collected.push(value);
    if (collected.length === count) {
      socket.off(event, listen);
      resolve(collected);
    }
  }));
}

/// What the server is called by the socket: of version 2 each namespace prefixes it with its own name.
const idOf = (socket) => (version === '2' ? socket.id.split('#').pop() : socket.id);

const transportOf = (socket) => socket.io.engine.transport.name;
const numbers = (count) => Array.from({ length: count }, (_, i) => i + 1);

let answers;
/// Has the test stop, start, kill, freeze or thaw the server.
async function server(order) {
  answers ??= readline.createInterface({ input: process.stdin });
  const done = once(answers, 'line');
  console.log(`server ${order}`);
  await done;
}

module.exports = {
  TRANSPORTS, ask, askAll, collect, idOf, join, numbers, once, open, server, transportOf, version,
};
