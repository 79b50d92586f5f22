import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient, startStack } from '@asyncfn/stack';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { BrokerLook } from '../src/broker/broker-look.ts';
import { clockModule, clockSetting, setClock } from '../src/rig/clock.ts';
import { endsKeptMs, shortMemoryModule } from '../src/rig/short-memory.ts';

/** Ends are forgotten after ten seconds. */
const haste = 60;

test('the audit does not miss calls of a gateway whose clock was ahead once their ends are forgotten', async () => {
  await using fn = await startTestFunction();
  const imports = (...modules: string[]): string =>
    modules.map((source) => `--import=data:text/javascript,${encodeURIComponent(source)}`).join(' ');
  await using stack = await startStack({
    natsServerBin: inject('natsServerBin'),
    functions: { fn: fn.url },
    workerEnv: { NODE_OPTIONS: imports(shortMemoryModule(haste)) },
  });
  const clockFile = join(stack.folder, 'gateway.clock');
  await writeFile(clockFile, '0');
  const gateway = await stack.startGateway({
    NODE_OPTIONS: imports(clockModule, shortMemoryModule(haste)),
    [clockSetting]: clockFile,
    RESULT_TTL: `${endsKeptMs(haste)}ms`,
  });
  await using client = new ApiClient(gateway.url);
  await using look = await BrokerLook.open([stack.nats.url]);
  await setClock(clockFile, endsKeptMs(haste));
  await client.acceptMany('fn', 20);
  // Receipts are stored by the wrong clock as well.
  await eventually(async () => !(await look.isAudited()), { message: 'no receipt was stored' });
  await setClock(clockFile, 0);
  await stack.untilSettled();
  expect(await stack.untilAudited()).toBe(0);
  expect(stack.worker.logs.filter(({ msg }) => msg.includes('neither queued nor ended'))).toEqual([]);
});
