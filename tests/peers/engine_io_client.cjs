// The official engine.io-client upgrades while a thousand messages are in flight both ways.
const assert = require('node:assert');
const { Socket } = require('engine.io-client');

const COUNT = 1000;

function run() {
  return new Promise((resolve, reject) => {
    const socket = new Socket(process.argv[2], { path: '/socket.io/', transports: ['polling', 'websocket'] });
    const answers = [];
    let upgraded = false;
    let sent = 0;
    socket.on('upgrade', () => { upgraded = true; });
    socket.on('open', () => socket.send('0'));
    socket.on('close', (reason) => reject(new Error(`closed: ${reason}`)));
    socket.on('error', reject);
    const more = () => {
      for (let i = 0; i < 10 && sent < COUNT; i++) socket.send(`2${sent}["echo",${sent++}]`);
    };
    socket.on('message', (message) => {
      if (message.startsWith('0')) return more();
      answers.push(message);
      more();
      if (answers.length === COUNT) {
        socket.off('close');
        const transport = socket.transport.name;
        socket.close();
        resolve({ answers, upgraded, transport });
      }
    });
  });
}

(async () => {
  for (let round = 0; round < 20; round++) {
    const { answers, upgraded, transport } = await run();
    assert.deepStrictEqual(answers, Array.from({ length: COUNT }, (_, i) => `3${i}[${i}]`));
    assert.ok(upgraded && transport === 'websocket', 'it has upgraded');
  }
})().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
