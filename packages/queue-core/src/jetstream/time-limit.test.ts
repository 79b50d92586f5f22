import { expect, test } from 'vitest';
import { settledWithin, valueWithin } from './time-limit.ts';

test('ends with the promise, resolved or rejected', async () => {
  await settledWithin(Promise.resolve(), 60_000);
  await settledWithin(Promise.reject(new Error('lost')), 60_000);
});

test('ends when the time is up, and ignores a later failure of the promise', async () => {
  let fail: (error: Error) => void = () => {};
  const promise = new Promise((_, reject) => {
    fail = reject;
  });
  const before = performance.now();
  await settledWithin(promise, 20);
  expect(performance.now() - before).toBeGreaterThanOrEqual(18);
  fail(new Error('late'));
  await expect(promise).rejects.toThrow('late');
});

test('a value in time is the value, a failure in time is the failure', async () => {
  const late = (): string => 'late';
  expect(await valueWithin(Promise.resolve('value'), 60_000, late)).toBe('value');
  await expect(valueWithin(Promise.reject(new Error('lost')), 60_000, late)).rejects.toThrow('lost');
});

test('a late value is replaced', async () => {
  expect(await valueWithin(new Promise<string>(() => {}), 10, () => 'late')).toBe('late');
});
