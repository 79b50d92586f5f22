// Writes docs/configuration.md and the list of all settings from the schemas that the processes are configured by, so
// that they cannot differ. With --check it writes nothing, and fails if one is out of date. Reads what `pnpm build` has
// made.
import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { gatewayConfig } from '../apps/gateway/dist/config.js';
import { localSchema } from '../apps/local/dist/config.js';
import { workerConfig } from '../apps/worker/dist/config.js';
import { describeConfig } from '../packages/service-kit/dist/index.js';

/** Read elsewhere than in a schema: by launcher, images and sample load, and by the nats-servers of the cluster. */
const furtherNames = ['CALLBACK_URL', 'GATEWAY_URL', 'HEALTH_URL', 'NATS_NAME', 'NATS_SERVER_BIN'];

await put('docs/configuration.md', renderPage());
await put('packages/service-kit/src/environment/setting-names.ts', renderNames());

async function put(path, wanted) {
  const file = new URL(`../${path}`, import.meta.url);
  if (!process.argv.includes('--check')) {
    await writeFile(file, wanted);
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== wanted) {
    process.stderr.write(`${path} is out of date: run \`pnpm docs:write\` and commit it\n`);
    process.exitCode = 1;
  }
}

function renderNames() {
  const fields = [gatewayConfig, workerConfig, localSchema].flatMap((schema) => Object.values(schema));
  const names = [...new Set([...fields.map(({ env }) => env), ...furtherNames])].toSorted((a, b) => (a < b ? -1 : 1));
  const lines = names.map((name) => `  '${name}',\n`).join('');
  return `// Written by \`pnpm docs:write\`. Change the schemas in apps/*/src/config.ts instead.

/** Names of all settings, whichever process reads them. */
export const settingNames: readonly string[] = [
${lines}];
`;
}

function renderPage() {
  return `<!-- Written by \`pnpm docs:write\`. Change the schemas in apps/*/src/config.ts instead. -->

# Configuration

Every process is configured by its environment alone. Durations are written \`250ms\`, \`10s\`, \`5m\`, \`1h30m\`; sizes
\`512KiB\`, \`1MiB\`. A variable that is set to the empty string counts as not set. A value that is not understood is an
error: the process names every problem on stderr and ends with exit code 78. A variable that looks like a setting and is
none is named in a warning at the start, with the setting that is perhaps meant; it has no effect.

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
