// Bun and socket.io with the engine made for Bun as a server under test: `bun bun.mjs PORT`, with the events of
// `contract.mjs`.
//
// Bun does not compress messages unless it is told to, and has no say in how many connections may wait. There is nothing in
// the documentation of this engine that would make it quicker or smaller.

import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";
import { register } from "./contract.mjs";

const io = new Server();
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);
register(io);
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  ...engine.handler(),
});
console.log(`listening on http://127.0.0.1:${server.port}`);
