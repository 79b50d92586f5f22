import { once } from 'node:events';
import { eventually } from '@asyncfn/testkit';
import type { JetStreamManager } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { inTurn, limitReads, ReadTurns } from './read-turns.ts';

const mebibyte = 1024 * 1024;

/** Begins this many reads, which end when a test says so, and tells which have begun. */
function begin(turns: ReadTurns, count: number) {
  const begun: number[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const reads = Array.from({ length: count }, (_, index) =>
    turns.run(() => {
      begun.push(index);
      return new Promise<number>((resolve, reject) => {
        ends[index] = (error) => (error === undefined ? resolve(index) : reject(error));
      });
    }),
  );
  return { begun, reads, end: (index: number, error?: Error) => ends[index]?.(error) };
}

test.each([
  [8 * mebibyte, 4],
  [mebibyte, 36],
  [64 * 1024, 64],
  [64 * mebibyte, 1],
])('with messages of up to %i bytes %i are read at once', async (maxPayload, most) => {
  const { begun, reads, end } = begin(new ReadTurns(maxPayload), 100);
  expect(begun).toHaveLength(most);
  for (const [index, read] of reads.entries()) {
    end(index);
    expect(await read).toBe(index);
  }
});

test('the others follow in their order, even after one that fails', async () => {
  const { begun, reads, end } = begin(new ReadTurns(8 * mebibyte), 7);
  end(2);
  await eventually(() => begun.length === 5);
  end(0, new Error('away'));
  await expect(reads[0]).rejects.toThrow('away');
  await eventually(() => begun.length === 6);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
  for (const index of [1, 3, 4, 5]) {
    end(index);
  }
  await eventually(() => begun.length === 7);
  end(6);
  expect(await Promise.all(reads.slice(1))).toEqual([1, 2, 3, 4, 5, 6]);
});

test('owners of calls take turns, however many reads of one of them wait', async () => {
  const turns = new ReadTurns(64 * mebibyte);
  const ended: string[] = [];
  const read = (owner: string) => turns.run(async () => void ended.push(owner), owner);
  await Promise.all([...Array.from({ length: 100 }, () => read('noisy')), read('calm')]);
  expect(ended.indexOf('calm')).toBeLessThanOrEqual(2);
});

test('one that waits too long fails with that reason, and leaves its turn to the next', async () => {
  const turns = new ReadTurns(64 * mebibyte, 20);
  const first = begin(turns, 1);
  await expect(turns.run(async () => 'late')).rejects.toMatchObject({ name: 'QueueError', code: 'broker' });
  const third = turns.run(async () => 'third');
  first.end(0);
  expect(await Promise.all([...first.reads, third])).toEqual([0, 'third']);
});

test('small answers do not wait for large ones', async () => {
  const manager = {} as JetStreamManager;
  limitReads(manager, 64 * mebibyte);
  const large = new AbortController();
  const reading = inTurn(manager, () => once(large.signal, 'abort'));
  const small = Array.from({ length: 10 }, (_, n) => inTurn(manager, async () => n, { size: 'small' }));
  expect(await Promise.all(small)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  large.abort();
  await reading;
});
