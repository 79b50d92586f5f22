import { expect, test } from 'vitest';
import { parsePin, toTexts } from './pin.ts';

test.each([
  [{ parallelism: '3', rate: '' }, { parallelism: 3 }],
  [{ parallelism: '', rate: '10/1m' }, { rate: '10/1m' }],
  [
    { parallelism: ' 1000 ', rate: ' 10 / 1m ' },
    { parallelism: 1_000, rate: '10/1m' },
  ],
])('%j pins %j', (texts, pin) => {
  expect(parsePin(texts)).toEqual({ kind: 'pin', pin });
});

test.each([
  [{ parallelism: '', rate: ' ' }, 'at least one'],
  [{ parallelism: '0', rate: '' }, 'from 1 to 1000'],
  [{ parallelism: '1001', rate: '' }, 'from 1 to 1000'],
  [{ parallelism: '1.5', rate: '' }, 'from 1 to 1000'],
  [{ parallelism: '1e2', rate: '' }, 'from 1 to 1000'],
  [{ parallelism: '1', rate: '10' }, 'such as 10/1m'],
  [{ parallelism: '1', rate: '0/1s' }, 'such as 10/1m'],
  [{ parallelism: '1', rate: '10/<b>' }, 'such as 10/1m'],
])('%j is refused, and what would be right is said', (texts, advice) => {
  expect(parsePin(texts)).toEqual({ kind: 'problem', problem: expect.stringContaining(advice) });
});

test('the form begins with what is pinned, not with limits that others have set', () => {
  const limits = { parallelism: 3, rate: '10/1m' };
  const flow = { function: 'f', key: 'k', queue: 'q', waiting: 0, running: 0, paused: false, pinned: true, ...limits };
  expect(toTexts({ ...flow, limitsFrom: { parallelism: 'pin', rate: 'function' } })).toEqual({
    parallelism: '3',
    rate: '',
  });
  expect(toTexts({ ...flow, limitsFrom: { parallelism: null, rate: 'pin' } })).toEqual({
    parallelism: '',
    rate: '10/1m',
  });
});
