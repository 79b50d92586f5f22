import { expect, test } from 'vitest';
import type { Call } from '../call/index.ts';
import type { Outcome } from '../records/index.ts';
import {
  stateOfEvent,
  toAcceptedEvent,
  toAttemptEvent,
  toCallbackEvent,
  toEndedEvent,
  toStartedEvent,
} from './call-event.ts';

const call: Call = {
  id: 'call',
  function: 'echo',
  queue: 'default',
  path: '/s3cr3t',
  query: 's3cr3t',
  headers: [['Authorization', 's3cr3t']],
  callbackHeaders: [['Authorization', 's3cr3t']],
  startTime: '1700000000000000000',
  retry: 0,
  body: Buffer.from('s3cr3t'),
};
const started = { ...call, startedAt: 5 };
const begun = { attempt: 1, startedAt: 5, verdict: 'running', worker: 'w:1' };
const outcome: Outcome = {
  v: 1,
  callId: 'call',
  startTime: call.startTime,
  generation: 0,
  function: 'echo',
  queue: 'default',
  status: 'succeeded',
  functionStatus: 302,
  attempts: 1,
  maxRetries: 3,
  endedAt: 9,
  headers: [
    ['Set-Cookie', 's3cr3t'],
    ['Location', '/there'],
  ],
};

test('an event has the state of its call and nothing else of it', () => {
  const events = [
    toAcceptedEvent(call),
    toStartedEvent(started, 3, begun),
    toAttemptEvent(started, 3, begun),
    toEndedEvent(outcome),
    toCallbackEvent(outcome, { v: 1, status: 'delivered', attempts: 1 }),
  ];
  expect(JSON.stringify(events)).not.toContain('s3cr3t');
  expect(stateOfEvent(events[3]!)).toMatchObject({
    outcome: { status: 'succeeded', headers: [['location', '/there']] },
  });
});

test('an attempt after which another one follows leaves its call waiting for that', () => {
  const { active } = toAttemptEvent(started, 3, { ...begun, verdict: 'retry', retryAt: 100 });
  expect(active).toMatchObject({ phase: 'retrying', dueAt: 100, call: { retry: 1, maxRetries: 3 } });
  expect(toAttemptEvent(started, 3, { ...begun, verdict: 'failed' }).active).toMatchObject({
    phase: 'running',
    held: { retry: 0 },
  });
});

test('a call with a time of its own is scheduled for it', () => {
  expect(stateOfEvent(toAcceptedEvent({ ...call, notBefore: 17 }))).toMatchObject({ phase: 'scheduled', dueAt: 17 });
  expect(stateOfEvent({ kind: 'accepted' })).toBeUndefined();
});
