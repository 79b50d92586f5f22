import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import type { RateBounds, RateVariant } from './rate-world.ts';
import { rates } from './rates.ts';

const calm: RateBounds = { count: 1, calls: 3, ticks: 5, crashes: 0, lostAnswers: 0 };

function explored(bounds: Partial<RateBounds>, variant: RateVariant = {}) {
  return explore(rates({ ...calm, ...bounds }, variant), 300_000);
}

describe('no period has more starts than the rate allows, and none is lost', { timeout: 120_000 }, () => {
  test.each<[string, Partial<RateBounds>]>([
    ['while nothing breaks', {}],
    ['if workers give back what others need', { count: 2, ticks: 2, fair: true }],
    ['when a worker dies, between whichever steps', { crashes: 1, ticks: 5, calls: 2 }],
    ['when an answer of the broker is slow or gets lost', { lostAnswers: 1, slowAnswers: true, calls: 2, ticks: 4 }],
    ['when the rate is lowered', { count: 2, changedTo: 1, ticks: 1 }],
    ['when the rate is raised', { changedTo: 2, ticks: 1 }],
    ['if the clocks of workers are behind', { clocks: [-1], ticks: 4 }],
  ])('%s', (_, bounds) => {
    const { counterexample, states } = explored(bounds);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(100);
  });
});

/** One worker gives starts to the other. */
const shared: Partial<RateBounds> = { count: 2, calls: 4, ticks: 1, fair: true };
const tooMany = 'more starts in a period than the rate allows';

describe('deliberate mistakes that the model finds', { timeout: 120_000 }, () => {
  test.each<[mistake: string, RateVariant, Partial<RateBounds>, problem: string]>([
    ['a write that replaces whatever is stored', { noExpectation: true }, {}, tooMany],
    [
      'a lease that counts from the answer',
      { leaseFromAnswer: true },
      { slowAnswers: true, ticks: 4, calls: 2 },
      tooMany,
    ],
    ['starts that are used after the lease', { noLease: true }, { ticks: 4, calls: 2 }, tooMany],
    ['used starts that are given back as free ones', { hotIsFree: true }, shared, tooMany],
    ['a clock that is ahead', {}, { clocks: [1], ...shared }, tooMany],
    ['starts of a dead worker that are free within its lease', { freedEarly: true }, { crashes: 1, ticks: 4 }, tooMany],
    [
      'starts of a dead worker that stay taken',
      { neverFree: true },
      { crashes: 1, ticks: 6, calls: 2 },
      'starts are lost',
    ],
    ['new starts that are used before they are stored', { grantedEarly: true }, {}, tooMany],
    ['starts that are used while they are given back', { returnedLate: true }, { ...shared, ticks: 2 }, tooMany],
    ['used starts that count once they are stored', { hidesReturned: true }, { changedTo: 2, ticks: 1 }, tooMany],
    ['a ledger without the used starts of others', { dropsUsed: true }, shared, tooMany],
    [
      'a lower rate that only new starts heed',
      { keepsAll: true },
      { count: 2, changedTo: 1, ticks: 2, calls: 2 },
      tooMany,
    ],
  ])('%s', (_, variant, bounds, problem) => {
    const found = explored(bounds, variant);
    expect(found.counterexample?.problem).toBe(problem);
  });
});
