import { expect, test, vi } from 'vitest';
import { CheapAbortSignal } from './cheap-abort-signal.ts';

test('a listener hears of the abort once, and sees it', () => {
  const signal = new CheapAbortSignal();
  const listener = vi.fn(() => expect(signal.aborted).toBe(true));
  signal.addEventListener('abort', listener);
  expect(signal.aborted).toBe(false);
  signal.abort();
  signal.abort();
  expect(listener).toHaveBeenCalledTimes(1);
});

test('a removed listener hears nothing', () => {
  const signal = new CheapAbortSignal();
  const gone = vi.fn();
  const stays = vi.fn();
  signal.addEventListener('abort', gone);
  signal.addEventListener('abort', stays);
  signal.removeEventListener('abort', gone);
  signal.abort();
  expect([gone, stays].map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
});
