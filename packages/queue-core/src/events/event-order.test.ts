import { expect, test } from 'vitest';
import type { CallEvent } from './call-event.ts';
import { EventOrder } from './event-order.ts';

function event(kind: CallEvent['kind'], id: string, attempt = 1, generation = 0): CallEvent {
  const call = {
    v: 1 as const,
    id,
    function: 'f',
    queue: 'q',
    path: '',
    query: '',
    headers: [],
    startTime: '1700000000000000000',
    retry: 0,
    ...(generation > 0 && { generation }),
  };
  const isOfAttempt = kind === 'started' || kind === 'attempt';
  return {
    kind,
    active: { phase: 'queued', call },
    ...(isOfAttempt && { attempt: { attempt, startedAt: 1, verdict: 'running' } }),
  };
}

const told = (events: readonly CallEvent[]): string[] =>
  events.map(({ kind, active, attempt }) => `${active?.call.id} ${kind} ${attempt?.attempt ?? ''}`.trim());

test('what comes later and belongs before an event of its call goes before it, and nothing else does', () => {
  const order = new EventOrder();
  const releaseOfWorker = order.hold([
    event('started', 'a'),
    event('attempt', 'a'),
    event('ended', 'a'),
    event('started', 'b'),
  ]);
  const releaseOfGateway = order.hold([
    event('accepted', 'c'),
    event('accepted', 'a'),
    event('accepted', 'b'),
    event('callback', 'a'),
  ]);
  expect(told(releaseOfWorker())).toEqual([
    'a accepted',
    'a started 1',
    'a attempt 1',
    'b accepted',
    'a ended',
    'b started 1',
  ]);
  expect(told(releaseOfGateway())).toEqual(['c accepted', 'a callback']);
});

test('a replay comes after the end before it, and attempts come by their number', () => {
  const order = new EventOrder();
  order.hold([event('accepted', 'a', 0, 1), event('started', 'a', 2), event('ended', 'a')]);
  const release = order.hold([event('attempt', 'a', 1), event('started', 'a', 1, 1), event('attempt', 'a', 2)]);
  expect(told(release())).toEqual([
    'a attempt 1',
    'a started 2',
    'a attempt 2',
    'a ended',
    'a accepted',
    'a started 1',
  ]);
});
