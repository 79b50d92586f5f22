import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HeldCalls } from './held-calls.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

test('a cancelled call is remembered for a minute, also when somebody sets the time of the machine', () => {
  let now = 0;
  const held = new HeldCalls(new AbortController().signal, () => now);
  held.cancel('call-1', 0);
  now = 59_000;
  held.cancel('call-2', 0);
  expect(held.wasCancelled({ id: 'call-1' })).toBe(true);
  now = 61_000;
  held.cancel('call-3', 0);
  expect(held.wasCancelled({ id: 'call-1' })).toBe(false);
  expect(held.wasCancelled({ id: 'call-2' })).toBe(true);

  const byDefault = new HeldCalls(new AbortController().signal);
  byDefault.cancel('call-1', 0);
  vi.setSystemTime(Date.now() + 3_600_000);
  byDefault.cancel('call-2', 0);
  expect(byDefault.wasCancelled({ id: 'call-1' })).toBe(true);
});

test('for a while after an outage, and for what was in hand before, a cancel may have been missed', () => {
  let now = 50_000;
  const held = new HeldCalls(new AbortController().signal, () => now);
  expect(held.mayHaveMissedCancel()).toBe(false);
  held.noteOutage();
  now = 59_000;
  expect(held.mayHaveMissedCancel()).toBe(true);
  now = 61_000;
  expect(held.mayHaveMissedCancel()).toBe(false);
  expect(held.mayHaveMissedCancel(49_000)).toBe(true);
});
