import type { CallAddress, CallState } from '@asyncfn/queue-core';
import { eventually } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { endedCall } from '../../test/call-fixture.ts';
import { SharedLookups } from './shared-lookups.ts';

/** Looks that end when a test says so, in their order. */
function setUp(most: number) {
  const begun: { readonly address: CallAddress; readonly end: (state: CallState | Error) => void }[] = [];
  const lookups = new SharedLookups(
    {
      available: true,
      listOwners: async (callId) => [{ callId }],
      find: (address) =>
        new Promise((resolve, reject) => {
          const end = (state: CallState | Error): void => (state instanceof Error ? reject(state) : resolve(state));
          begun.push({ address, end });
        }),
    },
    most,
  );
  return { lookups, begun, ids: () => begun.map(({ address }) => address.callId) };
}

test('so many calls are looked for at once and no more, the others in their order', async () => {
  const { lookups, begun, ids } = setUp(2);
  const found = ['a', 'b', 'c', 'd'].map((callId) => lookups.find({ callId }));
  expect(ids()).toEqual(['a', 'b']);
  begun[1]?.end(endedCall('b'));
  await eventually(() => begun.length === 3);
  expect(ids()).toEqual(['a', 'b', 'c']);
  begun[0]?.end(endedCall('a'));
  await eventually(() => begun.length === 4);
  begun[2]?.end(endedCall('c'));
  begun[3]?.end(endedCall('d'));
  expect((await Promise.all(found)).map((state) => state?.kind === 'ended' && state.outcome.callId)).toEqual([
    'a',
    'b',
    'c',
    'd',
  ]);
});

test('all who want a call that is still to be looked for share one look, and calls of one id are told apart', async () => {
  const { lookups, begun } = setUp(1);
  void lookups.find({ callId: 'first' });
  const shared = Array.from({ length: 1_000 }, () => lookups.find({ callId: 'a', owner: 'x' }));
  const other = lookups.find({ callId: 'a', owner: 'y' });
  begun[0]?.end(endedCall('first'));
  await eventually(() => begun.length === 2);
  begun[1]?.end(endedCall('a'));
  expect(new Set(await Promise.all(shared)).size).toBe(1);
  begun[2]?.end(endedCall('a'));
  await other;
  expect(begun.map(({ address }) => address.owner)).toEqual([undefined, 'x', 'y']);
});

test('a look that has begun is not shared: what was heard since may be new to it', async () => {
  const { lookups, begun } = setUp(1);
  void lookups.find({ callId: 'a' });
  const later = lookups.find({ callId: 'a' });
  begun[0]?.end(endedCall('a'));
  await eventually(() => begun.length === 2);
  begun[1]?.end(endedCall('a', { status: 'cancelled' }));
  expect(await later).toMatchObject({ outcome: { status: 'cancelled' } });
});

test('a look that fails fails for all who share it, and makes room for the next', async () => {
  const { lookups, begun } = setUp(1);
  const first = lookups.find({ callId: 'a' });
  const [second, third] = [lookups.find({ callId: 'b' }), lookups.find({ callId: 'b' })];
  begun[0]?.end(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await eventually(() => begun.length === 2);
  begun[1]?.end(new Error('still away'));
  await expect(second).rejects.toThrow('still away');
  await expect(third).rejects.toThrow('still away');
  void lookups.find({ callId: 'c' });
  expect(begun).toHaveLength(3);
});
