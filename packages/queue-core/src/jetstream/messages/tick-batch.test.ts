import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TickBatch } from './tick-batch.ts';

function recorder(): { batch: TickBatch<number>; sent: (readonly number[])[] } {
  const sent: (readonly number[])[] = [];
  return { sent, batch: new TickBatch((items) => sent.push(items)) };
}

test('everything that one tick of the event loop adds is sent together and in order', async () => {
  const { batch, sent } = recorder();
  batch.add(1);
  await Promise.resolve();
  batch.add(2);
  expect(sent).toEqual([]);
  await nextTurn();
  batch.add(3);
  await nextTurn();
  expect(sent).toEqual([[1, 2], [3]]);
});

test('a flush sends at once, and nothing twice', async () => {
  const { batch, sent } = recorder();
  batch.flush();
  batch.add(1);
  batch.flush();
  expect(sent).toEqual([[1]]);
  batch.add(2);
  await nextTurn();
  expect(sent).toEqual([[1], [2]]);
});

test('entries that are added while a batch is sent go with the next', async () => {
  const sent: (readonly number[])[] = [];
  const batch: TickBatch<number> = new TickBatch((items) => {
    sent.push(items);
    if (items.includes(1)) {
      batch.add(2);
    }
  });
  batch.add(1);
  await nextTurn();
  await nextTurn();
  expect(sent).toEqual([[1], [2]]);
});
