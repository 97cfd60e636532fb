// Node and socket.io as a server under test: `node node.mjs PORT`, with the events of `contract.mjs`.
//
// As who runs it in production would have it, by what socket.io's documentation says of performance and memory: messages
// are not compressed, which is its default; `bufferutil` is installed, which unmasks what clients send (85 bytes in 40 ns in
// place of 130, a kilobyte in 60 ns in place of 1,500); the first request of a session is let go. `utf-8-validate` is not: ws
// makes no use of it where Node has `buffer.isUtf8`. Left out of what that documentation names: uWebSockets.js, which the npm
// registry does not have; eiows, which has to be compiled when it is installed; and msgpack, since whoever takes another parser
// speaks another protocol. Whoever starts this sets NODE_ENV to `production`.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { register } from "./contract.mjs";

const server = createServer((_request, response) => response.writeHead(404).end());
const io = new Server(server, { serveClient: false });
io.engine.on("connection", (session) => {
  session.request = null;
});
register(io);
server.listen({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096 }, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
