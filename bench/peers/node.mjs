// Node and socket.io as a server under test: `node node.mjs PORT`, with the events of `contract.mjs`.
//
// As who runs it in production would have it: NODE_ENV is set by whoever starts it; messages are not compressed, which is
// socket.io's default; `bufferutil`, which its documentation recommends, is installed (of the other one, `utf-8-validate`, ws
// makes no use in any Node that has `buffer.isUtf8`). And what it says about memory is done: the first request of a session
// is let go.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { register } from "./contract.mjs";

const server = createServer();
const io = new Server(server, { serveClient: false });
io.engine.on("connection", (session) => {
  session.request = null;
});
register(io);
server.listen({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096 }, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
