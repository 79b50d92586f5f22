import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FairLine } from './fair-line.ts';

function setup(perTurn: number) {
  const begun: string[] = [];
  const line = new FairLine<string>({ perTurn, begin: (item) => begun.push(item) });
  return { line, begun };
}

test('so much passes in a turn and no more, and in the next turn again', async () => {
  const { line } = setup(2);
  expect([line.pass(), line.pass(), line.pass()]).toEqual([true, true, false]);
  await nextTurn();
  expect([line.pass(), line.pass(), line.pass()]).toEqual([true, true, false]);
});

test('nothing passes what waits', () => {
  const { line } = setup(2);
  line.add('a', 'somebody');
  expect(line.pass()).toBe(false);
});

test('submitters take turns, however much each has waiting', async () => {
  const { line, begun } = setup(4);
  for (let index = 0; index < 100; index += 1) {
    line.add(`greedy-${index}`, 'greedy');
  }
  line.add('modest-0', 'modest');
  line.add('modest-1', 'modest');
  await nextTurn();
  expect(begun).toEqual(['greedy-0', 'modest-0', 'greedy-1', 'modest-1']);
  await nextTurn();
  expect(begun).toHaveLength(8);
});

test('what adds itself again when it begins waits behind the others of its submitter', async () => {
  const begun: string[] = [];
  const line = new FairLine<string>({
    perTurn: 4,
    begin: (item) => {
      begun.push(item);
      line.add(item, 'one');
    },
  });
  line.add('a', 'one');
  line.add('b', 'one');
  await nextTurn();
  expect(begun).toEqual(['a', 'b', 'a', 'b']);
});

test('what is deleted is not begun with', async () => {
  const { line, begun } = setup(4);
  line.add('a', 'one');
  line.add('b', 'two');
  line.delete('a', 'one');
  await nextTurn();
  expect(begun).toEqual(['b']);
});
