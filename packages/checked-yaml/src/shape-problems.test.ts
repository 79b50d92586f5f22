import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { describeProblem, locateProblems } from './document-problem.ts';
import { shapeProblems } from './shape-problems.ts';

const closed = { additionalProperties: false };
const format = Compile(
  Type.Object(
    { size: Type.Union([Type.Integer(), Type.Null()]), inner: Type.Object({ name: Type.String() }, closed) },
    closed,
  ),
);

function problems(value: unknown) {
  return shapeProblems(format.Errors(value), (keys) => (keys.at(-1) === 'size' ? 'must be a number' : undefined));
}

test('each wrong place is one problem, however many mistakes it has, and its parents are none', () => {
  expect(problems({ size: 'x', inner: { name: 1 } })).toEqual([
    { keys: ['size'], problem: 'must be a number' },
    { keys: ['inner', 'name'], problem: 'must be a map of settings' },
  ]);
});

test('missing and unknown keys are named', () => {
  expect(problems({ inner: { 'a/b': 1, name: 'x' } })).toEqual([
    { keys: ['size'], problem: 'is missing; must be a number' },
    { keys: ['inner', 'a/b'], problem: 'is not a known setting' },
  ]);
});

test('problems are reported in the order of their lines, as compilers do', () => {
  const found = [
    { keys: ['b'], problem: 'is wrong' },
    { keys: [], problem: 'is worse' },
  ];
  const located = locateProblems(found, { lineOf: (keys) => keys.length + 1 });
  expect(located.map((problem) => describeProblem('file.yaml', problem))).toEqual([
    'file.yaml:1: is worse',
    'file.yaml:2: b is wrong',
  ]);
});
