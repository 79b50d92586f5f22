import { expect, test } from 'vitest';
import { waitMsOf } from './parse-prefer.ts';

test.each<[string, number | undefined]>([
  ['wait=30', 30_000],
  ['respond-async, wait=10', 10_000],
  ['Wait = "5"; strict, handling=lenient', 5_000],
  ['wait=0', 0],
  ['wait=60', 60_000],
  ['wait=61', 60_000],
  ['wait=999999999', 60_000],
  ['wait=3, wait=4', 3_000],
  ['foo="a, wait=5", wait=6', 6_000],
  ['foo="a, wait=5"', undefined],
  ['wait', undefined],
  ['wait=', undefined],
  ['wait=-1', undefined],
  ['wait=1.5', undefined],
  ['wait=30s', undefined],
  ['wait=x, wait=5', undefined],
  ['waiting=5', undefined],
  ['respond-async', undefined],
  ['', undefined],
  [',,=,;', undefined],
])('%j prefers %s ms', (header, waitMs) => {
  expect(waitMsOf(header)).toBe(waitMs);
});
