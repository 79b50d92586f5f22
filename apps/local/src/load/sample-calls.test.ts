import { SAMPLE_FUNCTIONS } from '@asyncfn/local-stack';
import { expect, test } from 'vitest';
import { sampleCalls } from './sample-calls.ts';

test('a round of calls reaches every sample function, and one that does not exist', () => {
  const next = sampleCalls(() => 0);
  const names = new Set(Array.from({ length: 10 }, () => next().target.replace(/\?.*/, '')));
  expect([...names].toSorted()).toEqual([...SAMPLE_FUNCTIONS, 'no-such-function'].toSorted());
  expect(next()).toEqual(sampleCalls(() => 0)());
});

test.each([1, 20, 1000])('at %i calls a second, some calls fail for good, but too few for an alert', (rate) => {
  let nowMs = 0;
  const next = sampleCalls(() => nowMs);
  let failures = 0;
  for (; nowMs < 600_000; nowMs += 1000 / rate) {
    failures += next().target === 'status?code=400' ? 1 : 0;
  }
  expect(failures).toBeGreaterThan(1);
  // AsyncfnDeadLettersGrow fires for more than ten in ten minutes.
  expect(failures).toBeLessThan(8);
});
