// Writes packages/client/src/api/schema.ts, the types of the gateway's API, from the OpenAPI description that the gateway
// serves, so that client and console cannot differ from it. With --check it writes nothing, and fails if the types are out
// of date. Reads the output of `pnpm build`.
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import process from 'node:process';
import { gatewayConfig } from '../apps/gateway/dist/config.js';
import { createGateway } from '../apps/gateway/dist/service.js';
import { createLogger, parseConfig } from '../packages/service-kit/dist/index.js';

const file = new URL('../packages/client/src/api/schema.ts', import.meta.url);
// The client has it, with the compiler that it needs.
const require = createRequire(new URL('../packages/client/package.json', import.meta.url));
const { default: openapiTypescript, astToString } = require('openapi-typescript');
const head = '// Written by `pnpm docs:write` from the OpenAPI description of the gateway.\n\n';

const wanted = head + astToString(await openapiTypescript(toEssentials(await readDescription())));
if (!process.argv.includes('--check')) {
  await writeFile(file, wanted);
} else if ((await readFile(file, 'utf8').catch(() => '')) !== wanted) {
  process.stderr.write('packages/client/src/api/schema.ts is out of date: run `pnpm docs:write` and commit it\n');
  process.exitCode = 1;
}

/** Starts a gateway, which describes its API without a broker. */
async function readDescription() {
  const logger = createLogger({ name: 'gateway', level: 'silent', format: 'json' });
  const env = { HOST: '127.0.0.1', PORT: '0', OPS_PORT: '0', NATS_URL: 'nats://127.0.0.1:1', SHUTDOWN_TIMEOUT: '1s' };
  const gateway = await createGateway(parseConfig(gatewayConfig, env), {
    logger,
    version: '0',
    pid: 1,
    env: {},
    fail: (error) => {
      throw error;
    },
  });
  await gateway.start();
  try {
    const response = await fetch(`http://127.0.0.1:${gateway.port}/openapi.json`);
    return await response.json();
  } finally {
    await gateway.stop();
  }
}

/** Leaves out what programs do not read: texts, and refusals, which are problems all alike. */
function toEssentials(description) {
  const text = JSON.stringify(description, (key, value) => {
    if (key === 'responses') {
      return Object.fromEntries(Object.entries(value).filter(([status]) => status < '400'));
    }
    return (key === 'description' || key === 'summary') && typeof value === 'string' ? undefined : value;
  });
  const essentials = JSON.parse(text);
  // The order of the gateway's routes means nothing.
  const paths = Object.entries(essentials.paths).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { ...essentials, paths: Object.fromEntries(paths) };
}
