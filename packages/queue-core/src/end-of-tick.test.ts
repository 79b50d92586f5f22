import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { atEndOfTick } from './end-of-tick.ts';

test('work for the end of a tick runs in order, with no microtask in between', async () => {
  const ran: string[] = [];
  atEndOfTick(() => {
    ran.push('first');
    queueMicrotask(() => ran.push('microtask'));
  });
  atEndOfTick(() => ran.push('second'));
  expect(ran).toEqual([]);
  await nextTurn();
  expect(ran).toEqual(['first', 'second', 'microtask']);
});

test('work that is added at the end of a tick runs at the end of the next', async () => {
  const ran: string[] = [];
  atEndOfTick(() => {
    ran.push('this turn');
    atEndOfTick(() => ran.push('next turn'));
  });
  await nextTurn();
  expect(ran).toEqual(['this turn']);
  await nextTurn();
  expect(ran).toEqual(['this turn', 'next turn']);
});
