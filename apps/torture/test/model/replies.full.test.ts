import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import { replies } from './replies.ts';
import { places, type ReplyBounds, type ReplyVariant } from './reply-world.ts';

const calm: ReplyBounds = { chain: false, sweeps: 1, crashes: 0, replays: 0, cancels: 0 };

function explored(bounds: Partial<ReplyBounds>, variant: ReplyVariant = {}) {
  return explore(replies({ ...calm, ...bounds }, variant));
}

const timeout = 240_000;
const chain = true;

describe('a large response stays while anything refers to it', { timeout }, () => {
  test.each<[string, Partial<ReplyBounds>]>([
    ['while nothing breaks', {}],
    ['of a step of a chain', { chain }],
    ['whichever process dies', { crashes: 1 }],
    ['of a step of a chain, whichever process dies', { chain, crashes: 1 }],
    ['when its callback is replayed, and a process dies', { crashes: 1, replays: 1 }],
    ['when the step that has it is replayed, and a process dies', { chain, crashes: 1, replays: 1 }],
    ['when its call is cancelled too late', { crashes: 1, cancels: 1 }],
  ])('%s', (_, bounds) => {
    const { counterexample, states } = explored(bounds);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(50);
  });
});

/** The places without one of them, which comes first. */
const first = (place: (typeof places)[number]) => [place, ...places.filter((each) => each !== place)];

describe('deliberate mistakes that the model finds', { timeout }, () => {
  test.each<[mistake: string, ReplyVariant, Partial<ReplyBounds>]>([
    ['no look at the call', { ignored: 'call' }, {}],
    ['no look at cancel intents', { ignored: 'intent' }, { cancels: 1 }],
    ['no look at the outcome', { ignored: 'outcome' }, {}],
    ['no look at callbacks', { ignored: 'callback' }, { replays: 1 }],
    ['no look at dead letters of callbacks', { ignored: 'letter' }, {}],
    ['no look at the next step', { ignored: 'step' }, { chain, replays: 1 }],
    ['no look at the dead letter of the next step', { ignored: 'letter of the step' }, { chain }],
    ['a look at the outcome before the call', { order: first('outcome') }, {}],
    ['a look at dead letters before callbacks', { order: first('letter') }, {}],
    ['a look at the dead letter of the step before the step', { order: first('letter of the step') }, { chain }],
    ['a removal without a mark', { unmarked: true }, { replays: 1 }],
    ['a replay without a look at the record', { replayUnkept: true }, { replays: 1 }],
    ['a step that the record does not name', { notHandedOver: true }, { chain }],
    ['a removal at the end of the step', { removedWithStep: true }, { chain }],
    ['a last record that replaces whatever is stored', { finishUnexpected: true }, {}],
    ['an erasure without a look', { erasedUnseen: true }, { chain }],
    ['a removal by a worker that misses its own record', { refusedUnseen: true }, {}],
  ])('with %s', (_, variant, bounds) => {
    const { counterexample } = explored(bounds, variant);
    expect(counterexample?.problem).toBe('a response is lost');
  });
});
