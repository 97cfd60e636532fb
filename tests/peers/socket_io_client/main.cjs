// The official socket.io-client, of major version 4 or 2, or 4 with msgpack: `main.cjs 4|2|msgpack URL FEATURE` tries one feature of
// the matrix and fails if anything is not as with the official server.
const { features: transports } = require('./transports.cjs');
const { features: messages } = require('./messages.cjs');
const { features: namespaces } = require('./namespaces.cjs');
const { features: partings } = require('./partings.cjs');

const feature = process.argv[4];
const found = { ...transports, ...messages, ...namespaces, ...partings }[feature];

// Also when nothing is left to wait for, which ends a program: what was to come has not come then.
process.exitCode = 1;

(async () => {
  if (!found) throw new Error(`there is no feature ${feature}`);
  await found();
})().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
