import { describe, expect, test } from 'vitest';
import type { Bounds, Variant } from './chain-world.ts';
import { explore } from './explore.ts';
import { handOn } from './hand-on.ts';

const calm: Bounds = { crashes: 0, expiries: 0, cancel: false, full: false };

function explored(bounds: Partial<Bounds>, variant: Variant = {}) {
  return explore(handOn({ ...calm, ...bounds }, variant));
}

describe('a call and the step that follows it: the step is accepted once, and the chain has one end', () => {
  test.each<[string, Partial<Bounds>]>([
    ['while nothing breaks, also after a replay', {}],
    ['whichever two processes die, between whichever steps', { crashes: 2 }],
    ['when leases run out under workers that go on', { expiries: 2, crashes: 1 }],
    ['while the queue of the step is full', { crashes: 1, expiries: 1, full: true }],
    ['when a client cancels the chain, and its gateway may die', { crashes: 2, cancel: true }],
    ['when a client cancels the chain while a lease runs out', { expiries: 1, cancel: true, full: true }],
  ])('%s', (_, bounds) => {
    const { counterexample, states } = explored(bounds);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(10);
  });
});

describe('deliberate mistakes that the model finds', () => {
  test.each<[mistake: string, Variant, Partial<Bounds>, problem: string]>([
    ['an id that is not derived', { underived: true }, { crashes: 1 }, 'a step is accepted twice'],
    ['an ack before the step is stored', { ackFirst: true }, { crashes: 1 }, 'a step is lost (P2)'],
    ['a step before the end of its parent', { handOnFirst: true }, {}, 'a step of a call that has not succeeded'],
    [
      'a cancelled step that may still be stored',
      { cancelUnrefused: true },
      { cancel: true },
      'a step is invoked although it has ended',
    ],
    [
      'a worker that leaves the end of a refused step to the gateway',
      { forgetRefused: true },
      { cancel: true, crashes: 1 },
      'a step is lost (P2)',
    ],
  ])('with %s', (_, variant, bounds, problem) => {
    expect(explored(bounds, variant).counterexample?.problem).toBe(problem);
    expect(explored(bounds).counterexample).toBeUndefined();
  });
});
