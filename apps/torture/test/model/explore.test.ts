import { expect, test } from 'vitest';
import { explore, type Model } from './explore.ts';

/** Two processes that add one to a number which they read first: the classic lost update. */
const adders: Model<{ value: number; read: (number | null | 'done')[] }> = {
  initial: { value: 0, read: [null, null] },
  steps: ({ value, read }) =>
    read.flatMap((seen, who) => {
      const others = (mine: number | 'done') => read.map((each, index) => (index === who ? mine : each));
      return seen === 'done'
        ? []
        : seen === null
          ? [{ name: `${who} reads`, next: { value, read: others(value) } }]
          : [{ name: `${who} writes`, next: { value: seen + 1, read: others('done') } }];
    }),
  wrong: () => undefined,
  unfinished: ({ value }) => (value === 2 ? undefined : `the sum is ${value}`),
};

test('every order of steps is visited, and the shortest way to the problem is reported', () => {
  const { states, counterexample } = explore(adders);
  expect(counterexample).toMatchObject({
    problem: 'the sum is 1',
    steps: ['0 reads', '1 reads', '0 writes', '1 writes'],
  });
  expect(states).toBeGreaterThan(8);
});

test('a state that breaks a rule is found on the way', () => {
  const model: Model<number> = {
    initial: 0,
    steps: (state) => [{ name: 'up', next: state + 1 }],
    wrong: (state) => (state === 3 ? 'three' : undefined),
    unfinished: () => undefined,
  };
  expect(explore(model).counterexample).toEqual({ problem: 'three', steps: ['up', 'up', 'up'], state: 3 });
  expect(() => explore({ ...model, wrong: () => undefined }, 100)).toThrow(RangeError);
});
