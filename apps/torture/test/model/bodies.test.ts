import { describe, expect, test } from 'vitest';
import { bodies } from './bodies.ts';
import type { BodyBounds, BodyVariant } from './body-world.ts';
import { explore } from './explore.ts';

const calm: BodyBounds = { sweeps: 1, crashes: 0, replays: 0, cancels: 0 };

function explored(bounds: Partial<BodyBounds>, variant: BodyVariant = {}) {
  return explore(bodies({ ...calm, ...bounds }, variant));
}

// Some explore 100,000 worlds, and a busy machine may take long for that.
const timeout = 240_000;

describe('a large body stays while its call needs it, and goes after that', { timeout }, () => {
  test.each<[string, Partial<BodyBounds>]>([
    ['while nothing breaks', {}],
    ['whichever process dies, beside two sweeps', { sweeps: 2, crashes: 2 }],
    ['when its call is replayed, beside two sweeps', { sweeps: 2, replays: 1 }],
    ['when its call is replayed, and a process dies', { crashes: 1, replays: 1 }],
    ['when its call is cancelled, and a process dies', { crashes: 1, cancels: 1 }],
    ['when its call arrives late, beside two sweeps', { sweeps: 2, late: true }],
    ['when its call arrives late, is replayed, and a process dies', { crashes: 1, replays: 1, late: true }],
  ])('%s', (_, bounds) => {
    const { counterexample, states } = explored(bounds);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(50);
  });
});

describe('deliberate mistakes that the model finds', { timeout }, () => {
  const lost = 'a stored call has lost its body';
  test.each<[mistake: string, BodyVariant, Partial<BodyBounds>, problem: string]>([
    ['a removal without a mark', { unmarked: true }, {}, lost],
    ['a 202 without a look at the record', { unconfirmed: true }, {}, lost],
    [
      'a removal by a gateway that does not know whether the call is stored',
      { removedUncertain: true },
      { late: true },
      lost,
    ],
    ['a replay without a look at the record', { replayUnkept: true }, { replays: 1 }, lost],
    ['a cancel that puts the call back without a look', { putBackUnkept: true }, { cancels: 1 }, lost],
    ['a look at the dead letters before the queue', { deadFirst: true }, {}, lost],
    ['no look at cancel intents', { intentIgnored: true }, { cancels: 1 }, lost],
    ['a removal whatever the end', { failedToo: true }, {}, lost],
    ['a removal before the end is recorded', { beforeEnd: true }, {}, lost],
    ['a removal after a replay without a look', { replayedUnseen: true }, { replays: 2 }, lost],
    ['a last record that replaces whatever is stored', { finishUnexpected: true }, {}, lost],
    ['no look for chunks without a record', { straysStay: true }, { crashes: 1 }, 'space is never free again'],
  ])('with %s', (_, variant, bounds, problem) => {
    expect(explored(bounds, variant).counterexample?.problem).toBe(problem);
    expect(explored(bounds).counterexample).toBeUndefined();
  });
});
