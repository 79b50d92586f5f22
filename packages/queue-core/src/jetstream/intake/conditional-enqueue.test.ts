import { expect, test } from 'vitest';
import type { Call } from '../../call/call.ts';
import { type PublishResult, refused } from '../../publish-result.ts';
import { fingerprintOf, type KeyRecord } from '../../records/idempotency-key.ts';
import { ConditionalEnqueue } from './conditional-enqueue.ts';

const call: Call = {
  id: 'chosen',
  function: 'echo',
  queue: 'default',
  path: '',
  query: '',
  headers: [],
  startTime: '1700000000000000000',
  retry: 0,
  body: new Uint8Array(),
};
const record: KeyRecord = { v: 1, callId: call.id, startTime: call.startTime, fingerprint: fingerprintOf(call) };

interface Seen {
  readonly key: KeyRecord | undefined;
  readonly idIsKnown: boolean;
}

const nothing: Seen = { key: undefined, idIsKnown: false };

/**
 * An intake whose publish conflicts with another one, after `undecided` answers that leave it open. No such call is
 * found at first, and after each wait the next of those given.
 */
function colliding(after: readonly Seen[], undecided = 0) {
  let seen = nothing;
  const left = [...after];
  let tries = 0;
  const collide = async (): Promise<PublishResult> => {
    tries += 1;
    return refused(tries > undecided ? 'conflict' : 'undecided', 'wrong last sequence');
  };
  return new ConditionalEnqueue({
    claims: { take: async () => ({ kind: 'claimed', release: async () => {} }) },
    known: {
      findKey: async () => seen.key,
      isKnown: async () => seen.idIsKnown,
      forgetQueues: () => {},
    },
    publisher: { timeoutMs: 5_000, publish: collide },
    atomic: { publish: collide },
    expiries: { schedule: async () => refused('unavailable', 'not asked for') },
    windowMs: 1_000,
    sleep: async () => {
      seen = left.shift() ?? seen;
    },
  });
}

const accept = (after: readonly Seen[], unique: boolean) =>
  colliding(after).accept(call, { unique, key: 'the same' }, () => false);

test.each([true, false])(
  'a call that conflicts with itself is accepted as that call, once it can be read; id chosen: %s',
  async (unique) => {
    const stored = { key: record, idIsKnown: true };
    expect(await accept([nothing, nothing, stored], unique)).toMatchObject({
      kind: 'replayed',
      earlier: { callId: 'chosen' },
    });
  },
);

test('a call with the id of another one is in conflict', async () => {
  expect(await accept([nothing, { key: undefined, idIsKnown: true }], true)).toMatchObject({ reason: 'conflict' });
});

test('a call that conflicts with an unconfirmed one is sent until the result is certain', async () => {
  const unkeyed = { unique: true };
  expect(await colliding([], 4).accept(call, unkeyed, () => false)).toMatchObject({ reason: 'conflict' });
  expect(await colliding([], 9).accept(call, unkeyed, () => false)).toMatchObject({ reason: 'undecided' });
  const keyed = { unique: false, key: 'the same' };
  const stored = { key: record, idIsKnown: true };
  const result = await colliding([nothing, nothing, stored], 2).accept(call, keyed, () => false);
  expect(result).toMatchObject({ kind: 'replayed' });
});

test('nothing is sent again once the caller has stopped waiting', async () => {
  let tries = 0;
  const isOver = (): boolean => {
    tries += 1;
    return tries > 1;
  };
  expect(await colliding([], 9).accept(call, { unique: true }, isOver)).toMatchObject({ reason: 'timeout' });
  expect(tries).toBe(2);
});

test('a call that conflicts with one that is never stored may be sent again', async () => {
  expect(await accept([], true)).toMatchObject({ kind: 'refused', reason: 'overloaded' });
  expect(await accept([], false)).toMatchObject({ kind: 'refused', reason: 'overloaded' });
});

/** An intake whose key belongs to another call. That call can be found after `ms`, or never. */
function heldUp(ms: number) {
  const by = { v: 1 as const, callId: call.id, startTime: call.startTime, queue: call.queue, nonce: 'theirs' };
  let now = 0;
  const enqueue = new ConditionalEnqueue({
    claims: { take: async () => ({ kind: 'held', by, sequence: 1 }) },
    known: {
      findKey: async () => (now >= ms ? record : undefined),
      isKnown: async () => false,
      forgetQueues: () => {},
    },
    publisher: { timeoutMs: 5_000, publish: async () => refused('unavailable', 'not asked for') },
    atomic: { publish: async () => refused('unavailable', 'not asked for') },
    expiries: { schedule: async () => refused('unavailable', 'not asked for') },
    windowMs: 1_000,
    monotonicNow: () => now,
    sleep: async (waitMs) => {
      now += waitMs;
    },
  });
  return enqueue.accept(call, { unique: false, key: 'the same' }, () => false);
}

test('a call waits for the call of its key for half of its own time limit', async () => {
  expect(await heldUp(2_400)).toMatchObject({ kind: 'replayed', earlier: { callId: call.id } });
  expect(await heldUp(3_200)).toMatchObject({ kind: 'refused', reason: 'overloaded' });
});
