import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import type { MomentBounds, MomentVariant } from './moment-world.ts';
import { moments } from './moments.ts';

const calm: MomentBounds = { crashes: 0, expiries: 0, changes: 0, timing: false, forget: false, damage: false };

function explored(bounds: Partial<MomentBounds>, variant: MomentVariant = {}) {
  return explore(moments({ ...calm, ...bounds }, variant));
}

describe('each moment of a schedule is called once, and the schedule goes on', () => {
  test.each<[string, Partial<MomentBounds>]>([
    ['while nothing breaks', {}],
    ['whichever two workers die, between whichever steps', { crashes: 2 }],
    ['when leases run out under workers that go on', { crashes: 1, expiries: 2, forget: true }],
    ['when an operator changes what it calls', { changes: 1, crashes: 1, expiries: 1, forget: true }],
    ['when an operator changes its timing', { timing: true, changes: 1, expiries: 1 }],
    ['when an operator changes its timing and a worker dies', { timing: true, crashes: 1, forget: true }],
    ['when the message of a moment gets lost', { damage: true, timing: true, crashes: 1 }],
  ])('%s', (_, bounds) => {
    const { counterexample, states } = explored(bounds);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(10);
  });
});

describe('deliberate mistakes that the model finds', () => {
  test.each<[mistake: string, MomentVariant, Partial<MomentBounds>, problem: string]>([
    ['an id that is not derived', { underived: true }, { crashes: 1 }, 'a moment is called twice'],
    [
      'a next moment that replaces whatever is stored',
      { noExpectation: true },
      { timing: true },
      'the schedule has stopped',
    ],
    ['a schedule that is not read again', { notReadAgain: true }, { timing: true }, 'an obsolete moment is called'],
    ['no look for a newer moment', { noLook: true }, { expiries: 1, forget: true }, 'a moment is called twice'],
    ['an ack before the next moment is stored', { ackFirst: true }, { crashes: 1 }, 'the schedule has stopped'],
    ['a next moment before the call', { nextFirst: true }, { crashes: 1 }, 'a moment is lost'],
    ['a change without its first moment', { changeAlone: true }, { timing: true }, 'the schedule has stopped'],
    [
      'no look for a newer moment that is due',
      { laterAlone: true },
      { changes: 1, crashes: 1, expiries: 1, forget: true },
      'a moment is called twice',
    ],
  ])('with %s', (_, variant, bounds, problem) => {
    expect(explored(bounds, variant).counterexample?.problem).toBe(problem);
    expect(explored(bounds).counterexample).toBeUndefined();
  });
});
