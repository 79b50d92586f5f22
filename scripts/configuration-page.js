// Writes docs/configuration.md and the list of all settings from the schemas of the processes, so that they cannot
// differ. With --check it writes nothing, and fails if one of them is out of date. Reads the output of `pnpm build`.
import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { gatewayConfig } from '../apps/gateway/dist/config.js';
import { workerConfig } from '../apps/worker/dist/config.js';
import { localSchema } from '../packages/local-stack/dist/index.js';
import { describeConfig } from '../packages/service-kit/dist/index.js';

/** Settings that are in no schema: of the launcher, the images, the sample load and the nats-servers of the cluster. */
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
  return `// Written by \`pnpm docs:write\`. Change the schemas, each in a config.ts, instead.

/** Names of all settings, whichever process reads them. */
export const settingNames: readonly string[] = [
${lines}];
`;
}

function renderPage() {
  return `<!-- Written by \`pnpm docs:write\`. Change the schemas, each in a config.ts, instead. -->

# Configuration

Set environment variables to configure a process; it reads no other configuration. Write durations as \`250ms\`, \`10s\`,
\`5m\`, \`1h30m\` and sizes as \`512KiB\`, \`1MiB\`. A variable with an empty value counts as not set. If a value is invalid,
the process prints every problem to stderr and exits with code 78. If a variable looks like a misspelt setting, the process
logs a warning with the likely name at start; the variable has no effect.

Functions are configured in the functions file: see [Functions](../README.md#functions).

## Gateway

\`node apps/gateway/dist/main.js\`

${describeConfig(gatewayConfig)}
## Worker

\`node apps/worker/dist/main.js\`

${describeConfig(workerConfig)}
## Everything on one machine

\`pnpm start\`

${describeConfig(localSchema)}
\`pnpm start\` passes all other variables on to the gateway and the worker, except \`NATS_*\`: it runs its own NATS server.
Without \`CALLBACK_ALLOW\`, callbacks may go to this machine (\`127.0.0.0/8,::1\` and \`HOST\`). \`NATS_SERVER_BIN\` is the
path of the nats-server to run. Without it, \`pnpm start\` looks on the \`PATH\` and in the cache (\`~/.cache/asyncfn\`), and
downloads one if it finds none.
`;
}
