import { expect, test } from 'vitest';
import { parseRate } from './rate.ts';

test.each([
  ['100/1s', { requests: 100, windowMs: 1_000 }],
  ['5000/1h', { requests: 5_000, windowMs: 3_600_000 }],
  ['1/24h', { requests: 1, windowMs: 86_400_000 }],
  ['3/1m30s', { requests: 3, windowMs: 90_000 }],
])('%s is a rate', (text, rate) => {
  expect(parseRate(text)).toEqual(rate);
});

test.each(['', '100', '100/s', '0/1s', '-1/1s', '1.5/1s', '100/0', '100/0s', '100/25h', '/1s', '100/1s/1s', '1e3/1s'])(
  '%j is refused',
  (text) => {
    expect(parseRate(text)).toBeUndefined();
  },
);
