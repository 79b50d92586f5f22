import { expect, test } from 'vitest';
import { prefersToJson, qualityOf } from './accepted.ts';

test.each([
  ['gzip, br', 1],
  ['br;q=1,gzip; Q=0.5', 0.5],
  ['*', 1],
  ['gzip;q=0, *', 0],
  ['*;q=0.2, GZIP;q=0.7', 0.7],
  ['gzip;q=much', 0],
  ['gzip;q=7', 0],
  ['br', undefined],
  ['', undefined],
])('of %j, gzip has the quality %s', (header, quality) => {
  expect(qualityOf(header, ['gzip', '*'])).toBe(quality);
});

test.each([
  ['text/html', true],
  ['text/html, application/json', true],
  ['text/html;q=0.9, */*;q=0.8', true],
  ['text/html;level=1;q=0.5', true],
  ['application/json, text/html;q=0.1', false],
  ['text/html;q=0.5, */*', false],
  ['text/html;q=0', false],
  ['text/html;q=0, application/json;q=0', false],
  ['text/htmlx', false],
  ['*/*', false],
  [undefined, false],
])('%j wants HTML as much as JSON: %s', (accept, wanted) => {
  expect(prefersToJson(accept, 'text/html')).toBe(wanted);
});
