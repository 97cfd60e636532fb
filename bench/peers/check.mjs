// Tries whether a server under test keeps to the contract: `node check.mjs URL [TRANSPORT]`. Ends with 0 if it does; else it says
// what was amiss, and ends with 1. To be run before anything is measured: a server that leaves something out is quick.
//
// The official client, over each transport and from the one to the other, or over one alone where the server has no other:
// two people in a room, a third beside it.

import assert from "node:assert/strict";
import { io } from "socket.io-client";

// Milliseconds that anything may take: a guard, not a measure.
const GUARD = 10_000;
// Bytes: the longest payload that is measured.
const LONG = 256 * 1024;

class Client {
  #arrived = [];
  #wake = () => {};

  constructor(url, transports) {
    this.socket = io(url, { transports, forceNew: true, reconnection: false });
    this.socket.onAny((...event) => {
      // Where there is recovery, the last argument says how far a client is.
      if (this.socket._pid !== undefined) {
        event.pop();
      }
      this.#arrived.push(event);
      this.#wake();
    });
  }

  connected() {
    return guarded("connection", (resolve, reject) => {
      this.socket.on("connect", resolve);
      this.socket.on("connect_error", reject);
    });
  }

  // What comes next must be this.
  async hears(...event) {
    if (this.#arrived.length === 0) {
      await guarded(`"${event[0]}"`, (resolve) => (this.#wake = resolve));
    }
    assert.deepEqual(this.#arrived.shift(), event);
  }

  async isAnswered(event, ...answer) {
    const acked = (resolve) => this.socket.emit(...event, (...args) => resolve(args));
    assert.deepEqual(await guarded(`answer to "${event[0]}"`, acked), answer);
  }

  leave() {
    assert.deepEqual(this.#arrived, [], "nothing that nobody was sent");
    this.socket.disconnect();
  }
}

function guarded(what, begin) {
  return new Promise((resolve, reject) => {
    const guard = setTimeout(() => reject(new Error(`there came no ${what}`)), GUARD);
    begin((value) => {
      clearTimeout(guard);
      resolve(value);
    }, reject);
  });
}

async function check(url, transports) {
  const [ann, bob, cem] = [1, 2, 3].map(() => new Client(url, transports));
  const others = [bob, cem];
  await Promise.all([ann, bob, cem].map((client) => client.connected()));

  for (const text of ['Grüße, "Bob"\n', "x".repeat(LONG)]) {
    await ann.isAnswered(["echo", text], text);
    ann.socket.emit("chat", text);
    await Promise.all(others.map((client) => client.hears("chat", text)));
  }
  for (const bytes of [Buffer.from([0, 1, 254, 255]), Buffer.alloc(LONG, 7)]) {
    ann.socket.emit("bytes", bytes);
    await Promise.all(others.map((client) => client.hears("bytes", bytes)));
  }

  const room = `room of ${transports}`;
  await ann.isAnswered(["join", room]);
  await bob.isAnswered(["join", room]);
  ann.socket.emit("room", room, "to the room");
  await bob.hears("room", "to the room");
  // Whoever sent it, and whoever is not in the room, hears only what is said to all.
  bob.socket.emit("chat", "the end");
  await Promise.all([ann, cem].map((client) => client.hears("chat", "the end")));
  [ann, bob, cem].forEach((client) => client.leave());
}

const [url, only] = process.argv.slice(2);
let transports;
try {
  for (transports of only ? [[only]] : [["websocket"], ["polling"], ["polling", "websocket"]]) {
    await check(url, transports);
  }
} catch (error) {
  console.error(`the server at ${url} does not keep to the contract over ${transports}: ${error.message}`);
  process.exit(1);
}
// Sessions that are closing would keep the program.
process.exit(0);
