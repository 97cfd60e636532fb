// What all features are written with. Owns the one place that knows how the two major versions differ.
const readline = require('node:readline');

const [, , version, url] = process.argv;
const io = version === '2' ? require('socket.io-client-2') : require('socket.io-client').io;
/// Of version 4, given another parser.
const msgpack = version === 'msgpack' ? { parser: require('socket.io-msgpack-parser') } : undefined;

/// Each transport on its own, and the change from one to the other.
const TRANSPORTS = [['websocket'], ['polling'], ['polling', 'websocket']];

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));

/// A socket that is not connected yet, and does not try again unless told.
function open(options = {}, namespace = '/') {
  const usual = { forceNew: true, reconnection: false, reconnectionDelay: 20, ...options };
  const path = (options.path ?? '/socket.io');
  return io(url + namespace, msgpack ? { ...usual, ...msgpack, path: `/msgpack${path}` } : usual);
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

/// Who it is for the server. Of version 2 a socket takes its session's id for its own.
const idOf = (socket) => (version === '2' ? ask(socket, 'id') : socket.id);

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
