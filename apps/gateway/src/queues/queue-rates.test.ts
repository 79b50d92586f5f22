import { expect, test } from 'vitest';
import { QueueRates } from './queue-rates.ts';

const zeros = { inPerSecond: 0, outPerSecond: 0 };

test('rates are zero until there are two measurements', () => {
  const rates = new QueueRates();
  expect(rates.of('q')).toEqual(zeros);
  rates.take([{ queue: 'q', stored: 100, held: 5 }], 0);
  expect(rates.of('q')).toEqual(zeros);
});

test('incoming calls are those that were stored, and outgoing calls those that are no longer held', () => {
  const rates = new QueueRates();
  rates.take([{ queue: 'q', stored: 100, held: 5 }], 1_000);
  rates.take([{ queue: 'q', stored: 150, held: 25 }], 11_000);
  expect(rates.of('q')).toEqual({ inPerSecond: 5, outPerSecond: 3 });
});

test('only the last minute counts', () => {
  const rates = new QueueRates();
  rates.take([{ queue: 'q', stored: 0, held: 0 }], 0);
  rates.take([{ queue: 'q', stored: 6_000, held: 0 }], 60_000);
  rates.take([{ queue: 'q', stored: 6_000, held: 0 }], 90_000);
  expect(rates.of('q')).toEqual(zeros);
});

test('a queue that was created again, or has gone, starts again', () => {
  const rates = new QueueRates();
  rates.take([{ queue: 'q', stored: 100, held: 0 }], 0);
  rates.take([{ queue: 'q', stored: 3, held: 3 }], 1_000);
  expect(rates.of('q')).toEqual(zeros);
  rates.take([{ queue: 'q', stored: 5, held: 3 }], 2_000);
  expect(rates.of('q')).toEqual({ inPerSecond: 2, outPerSecond: 2 });
  rates.take([], 3_000);
  expect(rates.of('q')).toEqual(zeros);
});
