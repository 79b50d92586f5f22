import { expect, test } from 'vitest';
import type { Measurement } from '../scenario.ts';
import { ratioOf, spreadOf } from './summary.ts';

const result = (...rounds: Measurement[]) => ({ subject: 'any', rounds });

test('the summary of a figure is its median and range', () => {
  expect(spreadOf(result({ rate: 5 }, { rate: 1 }, { rate: 9 }), 'rate')).toEqual({ median: 5, min: 1, max: 9 });
});

test('a figure that no round has measured has no summary', () => {
  expect(spreadOf(result({ rate: 5 }), 'cpu')).toBeUndefined();
  expect(spreadOf(result(), 'rate')).toBeUndefined();
});

test('a ratio compares within each round, so that a slow round does not count', () => {
  const ours = result({ rate: 80 }, { rate: 8 }, { rate: 90 });
  const floor = result({ rate: 100 }, { rate: 10 }, { rate: 100 });
  expect(ratioOf(ours, floor, 'rate')).toBeCloseTo(0.8);
});

test('a figure without a reference value has no ratio', () => {
  expect(ratioOf(result({ rate: 1 }), result(), 'rate')).toBeUndefined();
  expect(ratioOf(result({ rate: 1 }), result({ rate: 0 }), 'rate')).toBeUndefined();
});
