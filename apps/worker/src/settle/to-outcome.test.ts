import type { Call } from '@asyncfn/queue-core';
import { expect, test } from 'vitest';
import { expiredEnd } from './delivered-call.ts';
import { toOutcome } from './to-outcome.ts';

const call: Call = {
  id: 'call-1',
  function: 'echo',
  queue: 'default',
  path: '',
  query: '',
  headers: [],
  startTime: '1767225600000000000',
  retry: 0,
  body: new Uint8Array(),
};

test('an outcome names the flow key of its call, and none if there is none', () => {
  const flow = { key: 'orders/7', parallelism: 3, hasTurn: true } as const;
  const end = expiredEnd(call);
  expect(toOutcome({ ...call, flow }, end, undefined, 1)).toMatchObject({ callId: 'call-1', flowKey: 'orders/7' });
  expect(toOutcome(call, end, undefined, 1)).not.toHaveProperty('flowKey');
});
