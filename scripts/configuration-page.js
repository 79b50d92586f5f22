// Writes docs/configuration.md from the schemas that the processes are configured by, so that the two cannot differ.
// With --check it writes nothing, and fails when the page is out of date. Reads what `pnpm build` has made.
import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { gatewayConfig } from '../apps/gateway/dist/config.js';
import { localSchema } from '../apps/local/dist/config.js';
import { workerConfig } from '../apps/worker/dist/config.js';
import { describeConfig } from '../packages/service-kit/dist/index.js';

const page = new URL('../docs/configuration.md', import.meta.url);
const wanted = render();

if (!process.argv.includes('--check')) {
  await writeFile(page, wanted);
} else if ((await readFile(page, 'utf8').catch(() => '')) !== wanted) {
  process.stderr.write('docs/configuration.md is out of date: run `pnpm docs:write` and commit it\n');
  process.exitCode = 1;
}

function render() {
  return `<!-- Written by \`pnpm docs:write\`. Change the schemas in apps/*/src/config.ts instead. -->

# Configuration

Every process is configured by its environment alone. Durations are written \`250ms\`, \`10s\`, \`5m\`, \`1h30m\`; sizes
\`512KiB\`, \`1MiB\`. A variable that is set to the empty string counts as not set. A value that is not understood is an
error: the process names every problem on stderr and ends with exit code 78.

Which functions there are is said in the functions file: see [Functions](../README.md#functions).

## Gateway

\`node apps/gateway/dist/main.js\`

${describeConfig(gatewayConfig)}
## Worker

\`node apps/worker/dist/main.js\`

${describeConfig(workerConfig)}
## Everything on one machine

\`pnpm start\`

${describeConfig(localSchema)}
All other variables go on to the gateway and the worker that it starts, except \`NATS_*\`: the NATS server is its own.
Without \`CALLBACK_ALLOW\` callbacks may go to this machine (\`127.0.0.0/8,::1\` and \`HOST\`).
\`NATS_SERVER_BIN\` is the path of a nats-server to run. Without it one is looked for on the \`PATH\` and in the cache
(\`~/.cache/asyncfn\`), and downloaded if there is none.
`;
}
