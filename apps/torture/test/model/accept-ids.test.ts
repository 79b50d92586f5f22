import { describe, expect, test } from 'vitest';
import { acceptIds } from './accept-ids.ts';
import { type Exploration, explore } from './explore.ts';
import type { IdBounds, IdVariant, IdWorld } from './id-world.ts';

const usual: IdBounds = {
  queues: ['a', 'b'],
  submitters: ['x', 'x'],
  crashes: 1,
  cancel: true,
  forget: true,
};

function explored(bounds: Partial<IdBounds>, variant: IdVariant = {}): Exploration<IdWorld> {
  return explore(acceptIds({ ...usual, ...bounds }, variant));
}

describe('an id that is sent twice is one call as long as the id is known, and each call has an end of its own', () => {
  test.each<[string, Partial<IdBounds>]>([
    ['in two queues, whichever process dies or message is lost', {}],
    ['in one queue', { queues: ['a', 'a'] }],
    ['with two deaths', { crashes: 2 }],
    ['without a cancel, so that calls may expire and be forgotten', { cancel: false }],
  ])('%s', (_, bounds) => {
    const { counterexample, states } = explored(bounds);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(500);
  });

  test('two submitters with one id do not learn of each other', () => {
    expect(explored({ submitters: ['x', 'y'], crashes: 0 }).counterexample).toBeUndefined();
    const { counterexample } = explored({ submitters: ['x', 'y'], crashes: 0 }, { idsOfAll: true });
    expect(counterexample?.problem).toBe('refused because of the id of a stranger');
  });
});

describe('deliberate mistakes that the model finds', () => {
  const again = 'an id that is known is accepted again';

  test.each<[string, IdVariant, Partial<IdBounds>, string]>([
    ['with an id that no gateway claims', { noClaim: true }, {}, again],
    ['with an id that no gateway claims, in one queue', { noClaim: true }, { queues: ['a', 'a'] }, again],
    ['with a check before the claim', { lookFirst: true }, {}, again],
    ['with a claim that is forgotten before its call can be stored', { shortClaims: true }, {}, again],
    ['with a check that ignores a call that is being cancelled', { noIntents: true }, {}, again],
    ['with a look for ends before that in the queues', { endsBeforeQueues: true }, {}, again],
    [
      'with a decision that a later call of the id takes for its own',
      { sharedRecords: true },
      { cancel: false },
      'a stored call without an end (P2)',
    ],
  ])('%s', (_, variant, bounds, problem) => {
    expect(explored(bounds, variant).counterexample?.problem).toBe(problem);
    expect(explored(bounds).counterexample).toBeUndefined();
  });
});

test('if two calls of one id exist all the same, they do not harm each other, because they share no record', () => {
  const bounds = { mayMeet: true };
  expect(explored(bounds, { noClaim: true }).counterexample).toBeUndefined();
  const { counterexample } = explored(bounds, { noClaim: true, sharedRecords: true });
  expect(counterexample?.problem).toBe('the receiver is told of the end of another call');
});
