import { expect, test } from 'vitest';
import { eventually } from './eventually.ts';

test('resolves with the value of the first try that holds', async () => {
  let tries = 0;
  const value = await eventually(() => (++tries < 3 ? undefined : `try ${tries}`), { intervalMs: 1 });
  expect(value).toBe('try 3');
});

test('null, zero and the empty string are values', async () => {
  expect(await eventually(() => null)).toBeNull();
  expect(await eventually(() => 0)).toBe(0);
  expect(await eventually(async () => '')).toBe('');
});

test('goes on while assertions of the probe fail', async () => {
  let value = 0;
  await eventually(
    async () => {
      expect(++value).toBe(4);
      return true;
    },
    { intervalMs: 1 },
  );
  expect(value).toBe(4);
});

test('rejects with the last error as the cause when the time is up', async () => {
  const cause = new Error('still 2 of 3');
  const waiting = eventually(() => Promise.reject(cause), { timeoutMs: 30, intervalMs: 5, message: 'three calls' });
  await expect(waiting).rejects.toMatchObject({ message: expect.stringMatching(/^three calls .*still 2 of 3/), cause });
});

test('says so when the probe returned false', async () => {
  await expect(eventually(() => false, { timeoutMs: 10 })).rejects.toThrow('the probe returned false');
});

test('tries once more after the process has stood still for longer than the time', async () => {
  let isTrue = false;
  const waiting = eventually(() => isTrue, { timeoutMs: 20, intervalMs: 1 });
  const until = performance.now() + 50;
  while (performance.now() < until) {
    isTrue = true;
  }
  expect(await waiting).toBe(true);
});

test('rejects in time when a try never completes', async () => {
  const before = performance.now();
  await expect(eventually(() => new Promise<boolean>(() => {}), { timeoutMs: 50 })).rejects.toThrow('never completed');
  expect(performance.now() - before).toBeLessThan(30_000);
});
