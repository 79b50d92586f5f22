import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FairQueue } from './fair-queue.ts';

function setup(perTick: number) {
  const begun: string[] = [];
  const queue = new FairQueue<string>({ perTick, begin: (item) => begun.push(item) });
  return { queue, begun };
}

test('a turn lets a fixed amount pass, and so does the next one', async () => {
  const { queue } = setup(2);
  expect([queue.pass(), queue.pass(), queue.pass()]).toEqual([true, true, false]);
  await nextTurn();
  expect([queue.pass(), queue.pass(), queue.pass()]).toEqual([true, true, false]);
});

test('nothing overtakes a waiting entry', () => {
  const { queue } = setup(2);
  queue.add('a', 'b');
  expect(queue.pass()).toBe(false);
});

test('submitters take turns, however much each has waiting', async () => {
  const { queue, begun } = setup(4);
  for (let index = 0; index < 100; index += 1) {
    queue.add(`greedy-${index}`, 'greedy');
  }
  queue.add('modest-0', 'modest');
  queue.add('modest-1', 'modest');
  await nextTurn();
  expect(begun).toEqual(['greedy-0', 'modest-0', 'greedy-1', 'modest-1']);
  await nextTurn();
  expect(begun).toHaveLength(8);
});

test('an entry that adds itself again when it begins waits behind the others of its submitter', async () => {
  const begun: string[] = [];
  const queue = new FairQueue<string>({
    perTick: 4,
    begin: (item) => {
      begun.push(item);
      queue.add(item, 'one');
    },
  });
  queue.add('a', 'one');
  queue.add('b', 'one');
  await nextTurn();
  expect(begun).toEqual(['a', 'b', 'a', 'b']);
});

test('a deleted entry never begins', async () => {
  const { queue, begun } = setup(4);
  queue.add('a', 'one');
  queue.add('b', 'two');
  queue.delete('a', 'one');
  await nextTurn();
  expect(begun).toEqual(['b']);
});
