import { createRandom } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { expectedEnd, formatSteps, queues, randomPlan, randomTwins, stepOf } from './plan.ts';

describe('the steps of a function', () => {
  test('survive the round trip through their header', () => {
    const text = formatSteps([
      { status: 503, delayMs: 20 },
      { status: 200, delayMs: 5 },
    ]);
    expect([0, 1, 2].map((retry) => stepOf(text, retry).status)).toEqual([503, 200, 200]);
    expect(stepOf(text, 0).delayMs).toBe(20);
  });

  test('are refused if they are malformed', () => {
    expect(() => stepOf('soon', 0)).toThrow(TypeError);
  });
});

describe('the end that a plan leads to', () => {
  const step = (status: number) => ({ status, delayMs: 0 });

  test('is a success at the first good response', () => {
    const plan = { steps: [step(503), step(500), step(204)], maxRetries: 5 } as const;
    expect(expectedEnd(plan)).toEqual({ status: 'succeeded', attempts: 3, functionStatus: 204 });
  });

  test('is a failure once the budget is used up, or at once after a final response', () => {
    expect(expectedEnd({ steps: [step(503)], maxRetries: 2 })).toMatchObject({ status: 'failed', attempts: 3 });
    expect(expectedEnd({ steps: [step(422)], maxRetries: 2 })).toMatchObject({ status: 'failed', attempts: 1 });
  });
});

test('the same seed makes the same plans', () => {
  const plans = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 20 }, () => randomPlan(random, true));
  };
  expect(plans(3)).toEqual(plans(3));
  expect(plans(3)).not.toEqual(plans(4));
});

test('twins belong to one tenant and two queues, or to two tenants', () => {
  const random = createRandom(5);
  const kinds = Array.from({ length: 200 }, () => {
    const [one, other] = randomTwins(random, true);
    expect([one.ownId, other.ownId, one.expiresInMs, other.expiresInMs]).toEqual([true, true, 0, 0]);
    if (one.tenant !== other.tenant) {
      return 'strangers';
    }
    expect(queues[one.function]).not.toBe(queues[other.function]);
    return 'rivals';
  });
  expect(new Set(kinds)).toEqual(new Set(['strangers', 'rivals']));
});

test('only one tenant has receivers that hang, and only if that is requested', () => {
  const random = createRandom(6);
  const isHostile = ({ callback }: { callback: string }) => callback === 'hanging' || callback === 'nameless';
  const singles = Array.from({ length: 2_000 }, () => randomPlan(random, true));
  const twins = Array.from({ length: 2_000 }, () => randomTwins(random, true)).flat();
  const plans = [...singles, ...twins].filter(isHostile);
  expect(new Set(plans.map(({ tenant }) => tenant))).toEqual(new Set(['south']));
  expect(plans.some((each) => each.function === 'rest')).toBe(true);
  expect(Array.from({ length: 500 }, () => randomPlan(random, false)).filter(isHostile)).toEqual([]);
});
