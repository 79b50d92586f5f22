import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import { flowKeys } from './flow-keys.ts';
import { calmFlow, type FlowBounds, type FlowVariant } from './flow-world.ts';

/** One call goes to each of two gateways. */
const calm: FlowBounds = { ...calmFlow, fast: 1 };

function explored(bounds: Partial<FlowBounds>, variant: FlowVariant = {}) {
  return explore(flowKeys({ ...calm, ...bounds }, variant));
}

/** Two calls, one after the other, and a sweeper that does not wait. */
const hasty: Partial<FlowBounds> = { calls: 0, fast: 2, hasty: 1 };

describe('calls that get their turn as they are accepted keep order and limit, and let their key go on', () => {
  test.each<[string, Partial<FlowBounds>, FlowVariant?]>([
    ['beside a call that waits', {}],
    ['if those that wait are read before the state', {}, { waitsFirst: true }],
    ['beside two calls that wait', { calls: 2 }],
    ['whichever process dies, between whichever steps', { crashes: 1 }],
    ['if a gateway dies, and its ready copy arrives later', { calls: 0, fast: 2, crashes: 1 }],
    ['if a sweeper looks for a call that is not ready yet', hasty],
    ['if such a sweeper comes, and a process dies', { calls: 0, hasty: 1, crashes: 1 }],
    ['if the state of a key at rest is removed meanwhile', { slow: true }],
    ['if a call is cancelled', { cancel: 1 }],
    ['if their call is cancelled, and the canceller dies', { calls: 0, cancel: 1, cancelCrashes: 1 }],
    ['if an operator pauses the key', { calls: 0, pause: true }],
    ['if a call is retried', { retry: true }],
    ['if two may run at once', { limit: 2 }],
    ['if the limit is raised', { newLimit: 2 }],
    ['if the limit is lowered', { limit: 2, newLimit: 1 }],
  ])('%s', (_, bounds, variant = {}) => {
    const { counterexample, states } = explored(bounds, variant);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(100);
  });
});

test.each<[mistake: string, FlowVariant, Partial<FlowBounds>, problem: string]>([
  ['a look at the state alone', { fastBlind: true }, {}, 'a call was overtaken'],
  ['a state that is replaced blindly', { fastBlindState: true }, {}, 'a call was overtaken'],
  ['a ready copy that is stored whatever the state is', { fastUnfenced: true }, hasty, 'a call was overtaken'],
  [
    'a call that waits, and keeps the turn that it could not use',
    { fastKeeps: true, noSuspicion: true },
    { crashes: 1 },
    'a call waits for ever',
  ],
  [
    'a turn whose gateway has died, and that nobody looks for',
    { noSuspicion: true },
    { crashes: 1 },
    'a call waits for ever',
  ],
  ['a sweeper that looks for a call that may still arrive', { sweepUntouched: true }, hasty, 'a call was overtaken'],
  ['a sweeper that replaces the state blindly', { sweepBlind: true }, hasty, 'a call was overtaken'],
  ['the end of a call that was alone, without a look at others', { noSecondLook: true }, {}, 'a call waits for ever'],
  [
    'a pause that ends with the call that was alone',
    { aloneBlind: true },
    { pause: true },
    'a paused key gives a turn',
  ],
  [
    'a call that counts as alone although another one runs',
    { aloneAmongOthers: true },
    { calls: 0, fast: 4, workers: 3, limit: 2 },
    'too many calls of the key run at once',
  ],
])('a deliberate mistake that the model finds: %s', (_, variant, bounds, problem) => {
  expect(explored(bounds, variant).counterexample?.problem).toBe(problem);
});
