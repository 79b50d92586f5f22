import { expect, test } from 'vitest';
import { CallCounters } from './call-counters.ts';

test('each call id has a count of its own', () => {
  const counters = new CallCounters();
  expect([counters.next('a'), counters.next('b'), counters.next('a')]).toEqual([1, 1, 2]);
});

test('the call id that was not used for the longest time is forgotten first', () => {
  const counters = new CallCounters(2);
  for (const callId of ['a', 'b', 'a', 'c']) {
    counters.next(callId);
  }
  expect([counters.next('a'), counters.next('b')]).toEqual([3, 1]);
});
