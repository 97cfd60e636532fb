// The official socket.io-client, of major version 4 or 2, or 4 with msgpack: `main.cjs 4|2|msgpack URL FEATURE` tries one feature of
// the matrix and fails if anything is not as with the official server.
// Until all has come true: Node ends when nothing is left to wait for, also where a promise still waits.
process.exitCode = 2;

const { features: transports } = require('./transports.cjs');
const { features: messages } = require('./messages.cjs');
const { features: namespaces } = require('./namespaces.cjs');
const { features: partings } = require('./partings.cjs');

const feature = process.argv[4];
const found = { ...transports, ...messages, ...namespaces, ...partings }[feature];

(async () => {
  if (!found) throw new Error(`there is no feature ${feature}`);
  await found();
})().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
