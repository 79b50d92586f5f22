import { expect, test } from 'vitest';
import { checkHistory } from '../src/check/check-history.ts';
import type { Plan } from '../src/plan.ts';
import { plainPlan, WrittenHistory } from './written-history.ts';

const plan: Plan = {
  ...plainPlan,
  function: 'rest',
  steps: [{ status: 200, delayMs: 5 }],
  maxRetries: 5,
  bodyBytes: 10,
};
const pace = { count: 2, periodMs: 2_000 };

/** Calls whose only attempts arrive at these times. */
function attemptsAt(times: readonly number[], changes: Partial<Plan> = {}): WrittenHistory {
  const history = new WrittenHistory();
  for (const [index, at] of times.entries()) {
    const [request, own] = [index + 1, { ...plan, ...changes }];
    history
      .sent(request, own, 0)
      .accepted(request)
      .attempt(request, 0, at, at + 5, 200)
      .ended(request, own, at + 6);
  }
  return history;
}

function brokenBy({ events }: WrittenHistory): string[] {
  return checkHistory(events, { pace }).violations.map(({ rule }) => rule);
}

test('as many attempts as the rate allows, and one more in the next period, are right', () => {
  expect(brokenBy(attemptsAt([100, 100, 2_100, 2_100, 4_100]))).toEqual([]);
});

test('an attempt that arrives a little late squeezes no window', () => {
  expect(brokenBy(attemptsAt([500, 500, 2_010, 2_010]))).toEqual([]);
});

test('one attempt too many in any window breaks the rule, and so does a retry', () => {
  expect(brokenBy(attemptsAt([100, 1_000, 1_590]))).toEqual(['no window has more than the rate allows']);
  const retried: Plan = {
    ...plan,
    steps: [
      { status: 503, delayMs: 5 },
      { status: 200, delayMs: 5 },
    ],
  };
  const history = new WrittenHistory().sent(1, retried).accepted(1).attempt(1, 0, 100, 105, 503);
  history.attempt(1, 1, 900, 905, 200).ended(1, retried, 906);
  history.sent(2, plan).accepted(2).attempt(2, 0, 1_000, 1_005, 200).ended(2, plan, 1_006);
  expect(brokenBy(history)).toEqual(['no window has more than the rate allows']);
});

test('a function without a rate may be invoked as often as one likes', () => {
  expect(brokenBy(attemptsAt([100, 100, 100, 100], { function: 'quick' }))).toEqual([]);
});

test('a worker that was held up sends what it had decided before', () => {
  expect(brokenBy(attemptsAt([100, 1_000, 1_200]).fault(1, 'pause worker', 150, 1_100))).toEqual([]);
  expect(brokenBy(attemptsAt([100, 1_000, 1_200]).fault(1, 'pause worker', 150, 1_100, 'worker-2'))).toEqual([
    'no window has more than the rate allows',
  ]);
});
