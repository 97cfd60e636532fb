// The events that every server under test answers, for those in JavaScript. What they are says the table at the head of
// `bench/src/bin/server.rs`; `check.mjs` tries whether a server keeps to it.

export function register(io) {
  io.on("connection", (socket) => {
    socket.on("chat", (text) => socket.broadcast.emit("chat", text));
    socket.on("bytes", (bytes) => socket.broadcast.emit("bytes", bytes));
    socket.on("echo", (text, ack) => ack(text));
    socket.on("join", (room, ack) => {
      socket.join(room);
      ack();
    });
    socket.on("room", (room, text) => socket.to(room).emit("room", text));
  });
}
