import { describe, expect, test } from 'vitest';
import { findTroubles } from './find-troubles.ts';

const calm = {
  queue: 'default',
  depth: 0,
  inFlight: 0,
  oldestAgeSeconds: 0,
  bytes: 100,
  maxBytes: null,
  rates: { inPerSecond: 0, outPerSecond: 0 },
};
const waiting = { ...calm, depth: 120, oldestAgeSeconds: 200 };
const active = { name: 'echo', paused: false };
const none = { count: 0, more: false };

const titlesOf = (facts: Partial<Parameters<typeof findTroubles>[0]>) =>
  findTroubles({ queues: [calm], functions: [active], deadLetters: none, ...facts }).map(({ title }) => title);

describe('nothing is wrong', () => {
  test('if nothing waits, or waits shortly, or drains', () => {
    expect(titlesOf({})).toEqual([]);
    expect(titlesOf({ queues: [{ ...waiting, oldestAgeSeconds: 5 }] })).toEqual([]);
    const rates = { inPerSecond: 10, outPerSecond: 20 };
    expect(titlesOf({ queues: [{ ...waiting, inFlight: 4, rates }] })).toEqual([]);
  });

  test('if the dead letters are not known yet', () => {
    expect(titlesOf({ deadLetters: undefined })).toEqual([]);
  });
});

describe('it is wrong', () => {
  test('that no worker takes calls', () => {
    const [trouble] = findTroubles({ queues: [waiting], functions: [active], deadLetters: none });
    expect(trouble).toMatchObject({
      tone: 'bad',
      title: 'No worker takes calls from queue default.',
      detail: '120 calls wait, the oldest for 3 min 20 s. Start a worker, or look at the log of those that run.',
    });
  });

  test('that a queue fills faster than it drains', () => {
    const rates = { inPerSecond: 20, outPerSecond: 10 };
    expect(titlesOf({ queues: [{ ...waiting, inFlight: 4, rates }] })).toEqual([
      'Queue default fills faster than it drains.',
    ]);
  });

  test('that a queue is nearly full', () => {
    expect(titlesOf({ queues: [{ ...calm, bytes: 850, maxBytes: 1_000 }] })).toEqual(['Queue default is 85 % full.']);
  });

  test('that functions are paused, which explains why their calls wait', () => {
    const paused = { name: 'slow', paused: true };
    expect(titlesOf({ queues: [waiting], functions: [active, paused] })).toEqual(['Function slow is paused.']);
    expect(titlesOf({ functions: [paused, { ...paused, name: 'other' }] })).toEqual(['2 functions are paused.']);
  });

  test('that calls have failed', () => {
    expect(titlesOf({ deadLetters: { count: 1, more: false } })).toEqual(['1 call has failed.']);
    expect(titlesOf({ deadLetters: { count: 1_000, more: true } })).toEqual(['More than 1,000 calls have failed.']);
  });

  test('and the worst comes first', () => {
    const troubles = findTroubles({ queues: [waiting], functions: [active], deadLetters: { count: 2, more: false } });
    expect(troubles.map(({ tone }) => tone)).toEqual(['bad', 'warn']);
  });
});
