import type { CallAddress, CallState } from '@asyncfn/queue-core';
import { eventually } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { endedCall } from '../../test/call-fixture.ts';
import { SharedLookups } from './shared-lookups.ts';

/** Lookups that end when a test says so, in their order. */
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

test('a limited number of lookups run at once, the others follow in their order', async () => {
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

test('all requests for a call whose lookup has not begun share one lookup, and calls of one id are told apart', async () => {
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

test('a lookup that has begun is not shared: later news may be missing from it', async () => {
  const { lookups, begun } = setUp(1);
  void lookups.find({ callId: 'a' });
  const later = lookups.find({ callId: 'a' });
  begun[0]?.end(endedCall('a'));
  await eventually(() => begun.length === 2);
  begun[1]?.end(endedCall('a', { status: 'cancelled' }));
  expect(await later).toMatchObject({ outcome: { status: 'cancelled' } });
});

test('a lookup that fails fails for all that share it, and makes room for the next', async () => {
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

test('the lookup of one token is next, however many of another one wait, and does not share its place', async () => {
  const { lookups, begun, ids } = setUp(2);
  for (let index = 0; index < 1_000; index += 1) {
    void lookups.find({ callId: `flood-${index}` }, { name: 'noisy' });
  }
  void lookups.find({ callId: 'flood-999' }, { name: 'calm' });
  void lookups.listOwners('flood-999', { name: 'calm' });
  begun[0]?.end(endedCall('flood-0'));
  await eventually(() => begun.length === 3);
  begun[1]?.end(endedCall('flood-1'));
  await eventually(() => begun.length === 4);
  expect(ids().slice(2)).toEqual(['flood-2', 'flood-999']);
});

test('a token with thousands of waiting lookups is refused more, except for clients that share a waiting one', async () => {
  const { lookups, begun } = setUp(1);
  for (let index = 0; index <= 4_096; index += 1) {
    void lookups.find({ callId: `flood-${index}` }, { name: 'noisy' });
  }
  const refused = { refusal: { code: 'too_many_waiting', headers: { 'Retry-After': '1' } } };
  await expect(lookups.find({ callId: 'more' }, { name: 'noisy' })).rejects.toMatchObject(refused);
  await expect(lookups.listOwners('more', { name: 'noisy' })).rejects.toMatchObject(refused);
  const waiting = lookups.find({ callId: 'waits' }, { name: 'noisy', hasPlace: true });
  const other = lookups.find({ callId: 'other' }, { name: 'calm' });
  begun[0]?.end(endedCall('flood-0'));
  await eventually(() => begun.length === 2);
  begun[1]?.end(endedCall('flood-1'));
  await eventually(() => begun.length === 3);
  begun[2]?.end(endedCall('other'));
  expect(await other).toMatchObject({ outcome: { callId: 'other' } });
  await expect(Promise.race([waiting, Promise.resolve('still waits')])).resolves.toBe('still waits');
});
