import { type Call, identityOf, keyOf } from '@asyncfn/queue-core';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RunningCalls } from './running-calls.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

function callOf(id: string, fields: Partial<Call> = {}): Call {
  const nothing = { path: '', query: '', headers: [], retry: 0, body: new Uint8Array() };
  return { ...nothing, id, startTime: '1', function: 'echo', queue: 'default', ...fields };
}

test('a message about a call does not apply to another call of the same id', () => {
  const held = new RunningCalls(new AbortController().signal);
  const calls = [{}, { submitter: 'b' }, { startTime: '2' }].map((fields) => callOf('order-1', fields));
  const attempts = calls.map((call, index) => held.begin(call, index, 3));
  expect(calls.map((call) => held.report(identityOf(call))?.startedAt)).toEqual([0, 1, 2]);
  held.cancel(keyOf(callOf('order-1')));
  expect(attempts.map(({ isCancelled }) => isCancelled)).toEqual([true, false, false]);
  expect(calls.map((call) => held.wasCancelled(call))).toEqual([true, false, false]);
});

test('a cancelled call is remembered for a minute, even if an administrator sets the clock of the machine', () => {
  let now = 0;
  const held = new RunningCalls(new AbortController().signal, { now: () => now });
  held.cancel(keyOf(callOf('call-1')));
  now = 59_000;
  held.cancel(keyOf(callOf('call-2')));
  expect(held.wasCancelled(callOf('call-1'))).toBe(true);
  now = 61_000;
  held.cancel(keyOf(callOf('call-3')));
  expect(held.wasCancelled(callOf('call-1'))).toBe(false);
  expect(held.wasCancelled(callOf('call-2'))).toBe(true);

  const byDefault = new RunningCalls(new AbortController().signal);
  byDefault.cancel(keyOf(callOf('call-1')));
  vi.setSystemTime(Date.now() + 3_600_000);
  byDefault.cancel(keyOf(callOf('call-2')));
  expect(byDefault.wasCancelled(callOf('call-1'))).toBe(true);
});

test('for a while after an outage, a cancel of a call that was in flight before may have been missed', () => {
  let now = 50_000;
  const held = new RunningCalls(new AbortController().signal, { now: () => now });
  expect(held.mayHaveMissedCancel()).toBe(false);
  held.noteOutage();
  now = 59_000;
  expect(held.mayHaveMissedCancel()).toBe(true);
  now = 61_000;
  expect(held.mayHaveMissedCancel()).toBe(false);
  expect(held.mayHaveMissedCancel(49_000)).toBe(true);
});

test('a call is looked up while the last news of the broker is old, and for a while after', () => {
  let now = 0;
  let silentForMs = 900;
  const held = new RunningCalls(new AbortController().signal, { now: () => now, silentForMs: () => silentForMs });
  expect(held.mayHaveMissedCancel()).toBe(false);
  silentForMs = 60_000;
  expect(held.mayHaveMissedCancel()).toBe(true);
  silentForMs = 0;
  expect(held.mayHaveMissedCancel()).toBe(true);
  now += 10_001;
  expect(held.mayHaveMissedCancel()).toBe(false);
});
