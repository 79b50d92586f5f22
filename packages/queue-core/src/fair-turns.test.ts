import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FairTurns, type FairTurnsOptions } from './fair-turns.ts';

/** Work that ends when a test says so, in the order in which it begins. */
function setUp(options: FairTurnsOptions) {
  const turns = new FairTurns(options);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const add = (submitter: string, count: number): void => {
    for (let index = 0; index < count; index += 1) {
      const work = () => new Promise<void>((resolve) => ends.push(resolve) && begun.push(submitter));
      void turns.run(work, submitter);
    }
  };
  const endOne = async (): Promise<void> => {
    ends.shift()?.();
    await nextTurn();
  };
  return { turns, begun, add, endOne };
}

test('one who comes behind a thousand of another submitter is next', async () => {
  const { begun, add, endOne, turns } = setUp({ max: 2 });
  add('noisy', 1_000);
  add('calm', 2);
  expect(begun).toEqual(['noisy', 'noisy']);
  expect(turns.waitingOf('noisy')).toBe(998);
  for (let ended = 0; ended < 4; ended += 1) {
    await endOne();
  }
  expect(begun.slice(2)).toEqual(['noisy', 'calm', 'noisy', 'calm']);
});

test('one submitter has no more than its share, and others begin at once', async () => {
  const { begun, add, endOne } = setUp({ max: 4, maxPerSubmitter: 2 });
  add('noisy', 10);
  expect(begun).toHaveLength(2);
  add('calm', 1);
  expect(begun).toEqual(['noisy', 'noisy', 'calm']);
  await endOne();
  expect(begun).toEqual(['noisy', 'noisy', 'calm', 'noisy']);
  add('', 10);
  expect(begun).toHaveLength(5);
});

test('all delayed work runs in the end', async () => {
  const turns = new FairTurns({ max: 3, maxPerSubmitter: 1 });
  const done = Array.from({ length: 100 }, (_, index) => turns.run(nextTurn, `caller-${index % 7}`));
  await Promise.all(done);
  expect(turns.waitingOf('caller-0')).toBe(0);
});
