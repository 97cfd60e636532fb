// Bun and socket.io with Bun's own engine as a server under test: `bun bun.mjs PORT`, with the events of `contract.mjs`.
//
// Bun does not compress messages unless it is told to, and says nothing about how many connections may wait. Its engine
// speaks both transports; what it has no place for in memory, Bun keeps.

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
