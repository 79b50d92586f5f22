import type { Call, ExpiryTimer, Outcome } from '@asyncfn/queue-core';
import { expect, test, vi } from 'vitest';
import { ExpiryProcessor, type ExpiryProcessorOptions } from './expiry-processor.ts';

const identity = { callId: 'call', startTime: '1', generation: 0 };
const timer = { ...identity, function: 'echo', queue: 'default', expiresAt: 1, storedBy: 1 } as ExpiryTimer;
const expired = { ...identity, function: 'echo', queue: 'default', status: 'expired', flowKey: 'order' } as Outcome;

/** What becomes of the turn of a call whose timer comes again after its end. */
async function endedTurns(outcome: Outcome, queued?: Pick<Call, 'flow' | 'generation' | 'retry'>) {
  const flows = { removed: vi.fn(async () => ({ kind: 'done' as const })) };
  const options = {
    calls: { findQueued: async () => queued, findOutcome: async () => ({ outcome }) },
    expiries: { forgetStart: async () => {} },
    flows,
    now: () => 2,
  };
  const delivery = { deliveries: 2, ack: vi.fn(), nak: vi.fn() };
  const processor = new ExpiryProcessor(options as unknown as ExpiryProcessorOptions);
  await processor.process(delivery as unknown as Parameters<ExpiryProcessor['process']>[0], timer);
  expect(delivery.ack).toHaveBeenCalledOnce();
  return flows.removed.mock.calls.flat();
}

test('an expired call gives its turn back, if its worker has died after it had removed it', async () => {
  const call = expect.objectContaining({ id: 'call', function: 'echo', queue: 'default', flow: { key: 'order' } });
  expect(await endedTurns(expired)).toEqual([call]);
  expect(await endedTurns(expired, { flow: { key: 'order' }, generation: 1, retry: 0 })).toEqual([call]);
});

test('neither the turn of a replay is taken, nor that of a call with another end or without a key', async () => {
  const { flowKey: _, ...keyless } = expired;
  expect(await endedTurns(expired, { flow: { key: 'order', hasTurn: true }, generation: 1, retry: 0 })).toEqual([]);
  expect(await endedTurns({ ...expired, status: 'succeeded' })).toEqual([]);
  expect(await endedTurns(keyless)).toEqual([]);
});
