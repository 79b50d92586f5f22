import { expect, test } from 'vitest';
import { SAMPLE_FUNCTIONS } from '../samples/sample-functions.ts';
import { sampleCalls } from './sample-calls.ts';

test('a round of calls reaches every sample function, and one that there is not', () => {
  const next = sampleCalls();
  const names = new Set(Array.from({ length: 10 }, () => next().target.replace(/\?.*/, '')));
  expect([...names].toSorted()).toEqual([...SAMPLE_FUNCTIONS, 'no-such-function'].toSorted());
  expect(next()).toEqual(sampleCalls()());
});
