import { expect, test } from 'vitest';
import { ResponsivenessTracker } from './responsiveness.ts';

function open(max?: number) {
  let now = 1_000_000;
  const tracker = new ResponsivenessTracker({ now: () => now, ...(max !== undefined && { max }) });
  return {
    tracker,
    pass: (ms: number): void => {
      now += ms;
    },
    /** One request that takes this long. */
    request: (key: string, ms: number, answered: boolean): void => {
      const end = tracker.begin(key);
      now += ms;
      end(answered);
    },
  };
}

test('a receiver without a request has no responsiveness, and at its first request it is unknown', () => {
  const { tracker } = open();
  expect(tracker.of('a')).toBeUndefined();
  tracker.begin('a');
  expect(tracker.of('a')).toBe('unknown');
});

test('a receiver that has answered is answering, for ten minutes after the last answer', () => {
  const { tracker, request, pass } = open();
  request('a', 100, true);
  expect(tracker.of('a')).toBe('answering');
  pass(10 * 60_000);
  expect(tracker.of('a')).toBe('answering');
  pass(1);
  expect(tracker.of('a')).toBeUndefined();
});

test('a receiver that leaves a request without an answer for a second is hanging, at once', () => {
  const { tracker, request, pass } = open();
  request('a', 10, true);
  tracker.begin('a');
  pass(999);
  expect(tracker.of('a')).toBe('answering');
  pass(1);
  expect(tracker.of('a')).toBe('hanging');
});

test('a slow receiver that answers has three times as long as the last answer took', () => {
  const { tracker, request, pass } = open();
  request('a', 5_000, true);
  tracker.begin('a');
  pass(14_999);
  expect(tracker.of('a')).toBe('answering');
  pass(1);
  expect(tracker.of('a')).toBe('hanging');
});

test('a receiver that did not answer in time is hanging until it does, and not trusted for a minute more', () => {
  const { tracker, request, pass } = open();
  request('a', 15_000, false);
  expect(tracker.of('a')).toBe('hanging');
  pass(100_000);
  expect(tracker.of('a')).toBe('hanging');
  request('b', 15_000, false);
  request('b', 10, true);
  expect(tracker.of('b')).toBe('unknown');
  pass(60_000);
  expect(tracker.of('b')).toBe('answering');
});

test('a request that fails at once says nothing', () => {
  const { tracker, request } = open();
  request('a', 2, false);
  expect(tracker.of('a')).toBeUndefined();
  request('b', 2, true);
  request('b', 2, false);
  expect(tracker.of('b')).toBe('answering');
});

test('a receiver is silent as long as the request has waited that began first, or the last one did in vain', () => {
  const { tracker, request, pass } = open();
  expect(tracker.silentMs('a')).toBe(0);
  tracker.begin('a');
  pass(400);
  tracker.begin('a');
  pass(600);
  expect(tracker.silentMs('a')).toBe(1_000);
  request('b', 15_000, false);
  pass(60_000);
  expect(tracker.silentMs('b')).toBe(15_000);
  request('b', 10, true);
  expect(tracker.silentMs('b')).toBe(0);
});

test('a receiver that answers some requests and lets others hang is unknown', () => {
  const { tracker, request, pass } = open();
  tracker.begin('a');
  pass(5_000);
  expect(tracker.of('a')).toBe('hanging');
  request('a', 10, true);
  expect(tracker.of('a')).toBe('unknown');
});

test('the receivers that were seen last are remembered', () => {
  const { tracker, request } = open(2);
  request('a', 1, true);
  request('b', 1, true);
  expect(tracker.of('a')).toBe('answering');
  request('c', 1, true);
  expect(['a', 'b', 'c'].map((key) => tracker.of(key))).toEqual(['answering', undefined, 'answering']);
});
