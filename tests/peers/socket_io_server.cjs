// The official server: it does what the browser client's tests of JSONP ask for, as the program `peer` does. It prints where it
// listens and serves until it is ended. It must not judge: the tests do.
const http = require('node:http');
const { Server } = require('socket.io');

const server = http.createServer((_, response) => response.writeHead(404).end());

new Server(server).on('connection', (socket) => {
  socket.on('add', ({ a, b }, ack) => ack(a + b));
  socket.on('echo', (...args) => args.pop()(...args));
  socket.on('silent', () => {});
  socket.on('count', ({ to }) => {
    for (let number = 1; number <= to; number++) socket.emit('notice', { number, text: '' });
  });
});

server.listen(0, '127.0.0.1', () => console.log(`listening http://127.0.0.1:${server.address().port}`));
