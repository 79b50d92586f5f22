import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import { type FlowRateBounds, type FlowRateVariant, flowRate } from './flow-rate.ts';

const calm: FlowRateBounds = { calls: 3, parallelism: 1, count: 1, period: 2, newCount: 0 };

function explored(bounds: Partial<FlowRateBounds>, variant: FlowRateVariant = {}) {
  return explore(flowRate({ ...calm, ...bounds }, variant), 500_000);
}

test.each<[string, Partial<FlowRateBounds>]>([
  ['if one runs after the other', {}],
  ['if the rate has several', { calls: 4, count: 2 }],
  ['if several run at once', { calls: 4, parallelism: 3, count: 2 }],
  ['if more may run at once than the rate has', { parallelism: 3 }],
  ['when the rate is raised', { parallelism: 2, newCount: 2 }],
  ['when the rate is lowered', { parallelism: 2, count: 2, newCount: 1 }],
])('no period has more calls of a key than its rate allows, and none waits for ever: %s', (_, bounds) => {
  const { counterexample, states } = explored(bounds);
  expect(counterexample).toBeUndefined();
  expect(states).toBeGreaterThan(100);
});

const tooMany = 'more calls in a period than the rate allows';

describe('a deliberate mistake that the model finds', () => {
  test.each<[string, FlowRateVariant, Partial<FlowRateBounds>, string]>([
    ['a call that counts from its turn on', { countsFromTurn: true }, {}, tooMany],
    ['calls that run and do not count', { ignoresRunning: true }, { parallelism: 2 }, tooMany],
    ['ends that do not count until their time is known', { ignoresJustEnded: true }, {}, tooMany],
    ['a state that is removed with the last call', { forgetsAtRest: true }, {}, tooMany],
    ['a state that is removed too early', { shortTtl: true }, {}, tooMany],
    ['no second look after an end', { noSecondLook: true }, {}, 'a call waits for ever'],
    ['a call that is ready before its time', { noSchedule: true }, {}, tooMany],
  ])('%s', (_, variant, bounds, problem) => {
    expect(explored(bounds, variant).counterexample?.problem).toBe(problem);
  });
});
