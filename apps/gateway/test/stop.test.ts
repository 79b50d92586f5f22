import { createLogger, parseConfig } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { gatewayConfig } from '../src/config.ts';
import { createGateway } from '../src/service.ts';

/** A gateway without a broker, and its log. */
async function createLonelyGateway() {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ name: 'gateway', level: 'info', format: 'json', destination });
  const env = { NATS_URL: 'nats://127.0.0.1:1', HOST: '127.0.0.1', PORT: '0', OPS_PORT: '0' };
  const gateway = await createGateway(parseConfig(gatewayConfig, env), {
    logger,
    version: '1.2.3',
    pid: 1,
    env: {},
    fail: () => {},
  });
  const logged = (msg: string) => lines.filter((line) => line['msg'] === msg);
  return { gateway, logged };
}

test('the operations server opens last and closes last; the API closes first, then the parts behind it', async () => {
  const { gateway, logged } = await createLonelyGateway();
  await gateway.start();
  expect(logged('listening').map(({ server }) => server)).toEqual(['api', 'ops']);
  await gateway.stop();
  expect(logged('phase done').map(({ phase }) => phase)).toEqual([
    'finish requests',
    'hand over receipts',
    'flush publisher',
    'close broker',
    'export traces',
    'close operations server',
  ]);
});
