import type { CallState } from '@asyncfn/client';
import { expect, test } from 'vitest';
import { stateFacts } from './describe-state.ts';

const queued: CallState = {
  callId: 'call-1',
  function: 'ledger',
  queue: 'default',
  status: 'queued',
  attempts: 0,
  maxRetries: 10,
  createdAt: '2026-01-31T12:00:00.000Z',
};

test('a call that waits says for what, and names its flow key', () => {
  const told = (state: Partial<CallState>) => Object.fromEntries(stateFacts({ ...queued, ...state }, Date.now()));
  expect(told({ flowKey: 'orders/7', waitingFor: 'flow' })).toMatchObject({
    status: 'queued',
    'waits for': 'the turn of its flow key',
    'flow key': 'orders/7',
  });
  expect(told({ waitingFor: 'rate' })).toMatchObject({ 'waits for': 'the rate', 'flow key': undefined });
  expect(told({})['waits for']).toBeUndefined();
});
