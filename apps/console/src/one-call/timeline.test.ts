import { describe, expect, test } from 'vitest';
import { toTimeline } from './timeline.ts';

const call = {
  callId: 'a',
  function: 'hash',
  queue: 'default',
  status: 'running',
  attempts: 0,
  maxRetries: 3,
  createdAt: '2026-01-31T12:00:00.000Z',
} as const;
const attempt = { attempt: 1, startedAt: '2026-01-31T12:00:00.250Z', verdict: 'running', worker: 'w:1' };
const failed = { ...attempt, status: 503, durationMs: 50, verdict: 'retry' };
const second = { ...attempt, attempt: 2, startedAt: '2026-01-31T12:00:10.300Z' };

const titlesOf = (known: Partial<Parameters<typeof toTimeline>[0]>) =>
  toTimeline({ call, attempts: [], letter: undefined, ...known }).map(({ title }) => title);

describe('a timeline', () => {
  test('has the attempts with their answers, and the waits before them', () => {
    const moments = toTimeline({ call, attempts: [failed, second], letter: undefined });
    expect(moments).toMatchObject([
      { title: 'Accepted', detail: 'into queue default' },
      { title: 'Attempt 1', answer: '503', waitedMs: 250, tone: 'warn' },
      { title: 'Attempt 2', tone: 'accent', waitedMs: 10_000, detail: 'is running · worker w:1' },
    ]);
  });

  test('says what an open call waits for', () => {
    const notBefore = '2026-01-31T12:01:00.000Z';
    expect(titlesOf({ call: { ...call, status: 'queued' } })).toEqual(['Accepted', 'Waits for a worker']);
    const waiting = (waitingFor: 'flow' | 'rate') =>
      titlesOf({ call: { ...call, status: 'queued', waitingFor } }).at(-1);
    expect(waiting('flow')).toBe('Waits for the turn of its flow key');
    expect(waiting('rate')).toBe('Waits for the rate');
    expect(titlesOf({ call: { ...call, status: 'scheduled', notBefore } })).toEqual(['Accepted', 'Waits for its time']);
    const retrying = { call: { ...call, status: 'retrying', attempts: 1, notBefore } as const, attempts: [failed] };
    expect(titlesOf(retrying)).toEqual(['Accepted', 'Attempt 1', 'Attempt 2 is due']);
    expect(titlesOf({})).toEqual(['Accepted', 'Is with a worker']);
  });

  test('shows that an attempt was lost, and that some are not kept', () => {
    const lost = { ...attempt, verdict: 'lost' };
    const late = { ...second, attempt: 7 };
    const [, first, gap, last] = toTimeline({ call, attempts: [lost, late], letter: undefined });
    expect(first).toMatchObject({ tone: 'bad', detail: expect.stringContaining('was lost') });
    expect(gap).toMatchObject({ title: '5 attempts not kept' });
    expect(last).not.toHaveProperty('waitedMs');
  });

  test('goes on after the end: the next step, the callback', () => {
    const ended = {
      ...call,
      status: 'succeeded',
      endedAt: '2026-01-31T12:00:11.000Z',
      next: 'b',
      callback: { url: 'http://receiver', status: 'delivered', attempts: 2 },
    } as const;
    const moments = toTimeline({ call: ended, attempts: [], letter: undefined });
    expect(moments.slice(1)).toMatchObject([
      { title: 'Succeeded', at: ended.endedAt },
      { title: 'The next step was started', callId: 'b' },
      { title: 'Callback delivered', detail: 'to http://receiver · 2 tries' },
    ]);
  });

  test('of a replay does not tell how long it has waited', () => {
    const moments = toTimeline({ call: { ...call, replays: 2 }, attempts: [attempt], letter: undefined });
    expect(moments.map(({ title }) => title)).toEqual(['Accepted', 'Replayed 2 times', 'Attempt 1']);
    expect(moments[2]).not.toHaveProperty('waitedMs');
  });

  test('of a call of which only the dead letter is left says why it failed', () => {
    const letter = {
      ...call,
      kind: 'call',
      kinds: ['call'],
      replays: 0,
      bytes: 1,
      reason: 'retries_exhausted',
      endedAt: '2026-01-31T12:00:11.000Z',
    };
    const moments = toTimeline({ call: undefined, attempts: [failed], letter });
    expect(moments.at(-1)).toMatchObject({ title: 'Failed', detail: 'All retries failed' });
  });
});
