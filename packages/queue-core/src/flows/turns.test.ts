import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FlowKey, flowIdOf, isFlowKey } from './flow-key.ts';
import {
  emptyState,
  isAtRest,
  isSameState,
  limitOf,
  roomIn,
  sourcesOf,
  withControl,
  withoutCalls,
  withTurns,
} from './turns.ts';

const key: FlowKey = { function: 'f', key: 'k' };

test('the id of a key depends on function, submitter and key, and fits into a token', () => {
  const text = fc.string({ minLength: 1, maxLength: 128 });
  fc.assert(
    fc.property(text, text, (one, other) => {
      const ids = [
        flowIdOf({ function: 'f', key: one }),
        flowIdOf({ function: 'g', key: one }),
        flowIdOf({ function: 'f', submitter: 'f', key: one }),
        ...(one === other ? [] : [flowIdOf({ function: 'f', key: other })]),
      ];
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.every((id) => /^[A-Za-z0-9_-]{22}$/.test(id))).toBe(true);
    }),
  );
});

test.each([
  ['!', true],
  ['~'.repeat(128), true],
  ['...', true],
  ['', false],
  ['.', false],
  ['..', false],
  ['a b', false],
  ['~'.repeat(129), false],
])('whether %j can be a key: %j', (text, isKey) => {
  expect(isFlowKey(text)).toBe(isKey);
});

test('a call has its turn until it has ended, and the cursor only goes up', () => {
  const call = (id: string, sequence: number) => ({ call: { id, startTime: '1' }, sequence });
  const two = withTurns(emptyState(key), [call('a', 3), call('b', 7)]);
  expect(two).toMatchObject({ cursor: 7 });
  expect([roomIn(two, 1), roomIn(two, 2), roomIn(two, 5)]).toEqual([0, 0, 3]);
  const one = withoutCalls(two, [
    { callId: 'a', startTime: '1' },
    { callId: 'b', startTime: '2' },
  ]);
  expect(one).toEqual({ ...two, running: [['b', '1']], justEnded: 1 });
  expect(withTurns(one, [])).toEqual(one);
});

test('a pin outranks the settings of a function, those outrank what a call has named, and one is the default', () => {
  const pinned = { pin: { parallelism: 4 } };
  expect([limitOf(pinned, 2, 3), limitOf({ pin: {} }, 2, 3)]).toEqual([4, 2]);
  expect([limitOf({}, undefined, 3), limitOf({}, undefined, undefined)]).toEqual([3, 1]);
});

test('each limit says who has set it', () => {
  const settings = { parallelism: 2, rate: { count: 1, periodMs: 1_000 } };
  const named = { parallelism: 3, rate: '10/1m' };
  expect(sourcesOf({ ...named, pin: { parallelism: 4 } }, settings)).toEqual({ parallelism: 'pin', rate: 'function' });
  expect(sourcesOf({ ...named, pin: { rate: '5/1s' } })).toEqual({ parallelism: 'caller', rate: 'pin' });
  expect(sourcesOf({}, { rate: settings.rate })).toEqual({ parallelism: null, rate: 'function' });
});

test('a paused key has no room, and stays known without calls, as a pinned one does', () => {
  const paused = withControl(emptyState(key), { paused: true });
  const pinned = withControl(paused, { paused: false, pin: { parallelism: 2 } });
  expect([paused.paused, roomIn(paused, 5), isAtRest(paused)]).toEqual([true, 0, false]);
  expect([pinned, roomIn(pinned, 2), isAtRest(pinned)]).toEqual([
    { ...emptyState(key), pin: { parallelism: 2 } },
    2,
    false,
  ]);
  expect(withControl(pinned, { paused: true })).toMatchObject({ paused: true, pin: { parallelism: 2 } });
  const free = withControl(pinned, { pin: null });
  expect([isSameState(free, emptyState(key)), isAtRest(free), isSameState(free, pinned)]).toEqual([true, true, false]);
});
