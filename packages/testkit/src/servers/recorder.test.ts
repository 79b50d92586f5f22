import { expect, test } from 'vitest';
import { Recorder } from './recorder.ts';

test('a wait is over with the entry that makes the number full', async () => {
  const recorder = new Recorder<string>();
  const waiting = recorder.waitFor(2, 'entries', 1_000);
  recorder.record('first');
  recorder.record('second');
  expect(await waiting).toEqual(['first', 'second']);
});

test('a wait for entries that are there is over at once', async () => {
  const recorder = new Recorder<number>();
  recorder.record(1);
  expect(await recorder.waitFor(1, 'entries', 0)).toEqual([1]);
});

test('waits for different numbers end one by one', async () => {
  const recorder = new Recorder<number>();
  const ended: number[] = [];
  const waits = [3, 1, 2].map((count) => recorder.waitFor(count, 'entries', 1_000).then(() => ended.push(count)));
  for (const entry of [1, 2, 3]) {
    recorder.record(entry);
    await Promise.resolve();
  }
  await Promise.all(waits);
  expect(ended).toEqual([1, 2, 3]);
});

test('a wait that is too long says how many came', async () => {
  const recorder = new Recorder<number>();
  recorder.record(1);
  await expect(recorder.waitFor(2, 'callbacks', 20)).rejects.toThrow('waited 20 ms for 2 callbacks, 1 came');
});
