import { describe, expect, test } from 'vitest';
import { batchEnd } from './batch-end.ts';
import type { Bounds, Variant } from './batch-world.ts';
import { explore } from './explore.ts';

const calm: Bounds = { crashes: 0, cancels: 0, losses: 0, older: false, expiries: 0, undecided: false };

function explored(bounds: Partial<Bounds>, variant: Variant = {}) {
  return explore(batchEnd({ ...calm, ...bounds }, variant));
}

describe('a batch ends once, after its last call, and its caller is told', () => {
  test.each<[string, Partial<Bounds>]>([
    ['while nothing breaks', {}],
    ['whichever two processes die, between whichever steps', { crashes: 2 }],
    ['when leases run out under workers that go on', { expiries: 2 }],
    ['when a lease runs out and a process dies', { expiries: 1, crashes: 1 }],
    ['when a client cancels one of its calls and a process dies', { cancels: 1, crashes: 1 }],
    ['when the broker does not store an outcome', { losses: 1, crashes: 1 }],
    ['beside an older worker', { older: true, crashes: 1 }],
    ['when PubAcks are lost', { undecided: true, crashes: 1 }],
    ['when PubAcks are lost and a client cancels', { undecided: true, cancels: 1 }],
  ])('%s', (_, bounds) => {
    const { counterexample, states } = explored(bounds);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(10);
  });
});

describe('deliberate mistakes that the model finds', () => {
  const early = 'a batch ends before its last call';
  const never = 'a batch without an end';

  test.each<[mistake: string, Variant, Partial<Bounds>, problem: string]>([
    ['an end that is counted for each attempt', { countAttempts: true }, { expiries: 1 }, early],
    ['a mark before the outcome', { markFirst: true }, {}, early],
    ['a mark that an older worker owes', { forgetUnmarked: true }, { older: true }, never],
    ['a count of a batch that is being accepted', { endUnsealed: true }, {}, 'a batch ends while it is being accepted'],
    ['a seal that is acked before the end', { dropSeal: true }, { losses: 1 }, never],
    ['a refused call that may still be stored', { refuseUnblocked: true }, { undecided: true }, early],
    ['an ack before the callback', { dropFirst: true }, { crashes: 1 }, 'a batch ends without a callback'],
  ])('with %s', (_, variant, bounds, problem) => {
    expect(explored(bounds, variant).counterexample?.problem).toBe(problem);
    expect(explored(bounds).counterexample).toBeUndefined();
  });
});
