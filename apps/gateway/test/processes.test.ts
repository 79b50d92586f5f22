import type { ProcessReport } from '@asyncfn/queue-core';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { startTestGateway } from './gateway-fixture.ts';

const common = {
  v: 1,
  version: '1.2.3',
  startedAt: Date.parse('2026-01-31T12:00:00Z'),
  server: '127.0.0.1:4222',
  reconnects: 0,
  memoryBytes: 1,
} as const;
const lane = { function: 'echo', inFlight: 2, attempts: 10, failed: 1 };

async function ask(reports: readonly ProcessReport[] | undefined) {
  await using gateway = await startTestGateway({ directory: { list: async () => reports } });
  const { statusCode, body } = await request(`${gateway.url}/system/processes`);
  return { status: statusCode, body: await body.json() };
}

test('what workers know of a function is added up', async () => {
  const { status, body } = await ask([
    { ...common, kind: 'gateway', id: 'a:1' },
    {
      ...common,
      kind: 'worker',
      id: 'b:2',
      worker: { slots: 100, audited: { ended: 3 }, lanes: [{ ...lane, limit: 4 }] },
    },
    {
      ...common,
      kind: 'worker',
      id: 'c:3',
      worker: { slots: 50, audited: { ended: 1, missing: 1, held: 7 }, lanes: [lane, { ...lane, function: 'a' }] },
    },
  ]);
  expect([status, body]).toEqual([
    200,
    {
      processes: [
        { kind: 'gateway', id: 'a:1', ...shown },
        { kind: 'worker', id: 'b:2', ...shown, slots: 100, inFlight: 2 },
        { kind: 'worker', id: 'c:3', ...shown, slots: 50, inFlight: 4 },
      ],
      functions: [
        { function: 'a', inFlight: 2, attempts: 10, failed: 1 },
        { function: 'echo', inFlight: 4, limit: 4, attempts: 20, failed: 2 },
      ],
      audited: { ended: 4, missing: 1, unknown: 0 },
    },
  ]);
});

const shown = {
  version: '1.2.3',
  startedAt: '2026-01-31T12:00:00.000Z',
  server: '127.0.0.1:4222',
  reconnects: 0,
  memoryBytes: 1,
};

test('while the broker is away, nothing is known of others', async () => {
  expect(await ask(undefined)).toMatchObject({ status: 503, body: { code: 'broker_unavailable' } });
});
