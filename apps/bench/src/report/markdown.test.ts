import { expect, test } from 'vitest';
import { toNumber, toTable } from './markdown.ts';

test('a table has a row for each subject, with its ratio to the reference', () => {
  const table = toTable({
    name: 'accept',
    title: 'Accept',
    figures: [{ name: 'calls/s', compared: true }, { name: 'cpu' }],
    reference: 'floor',
    cases: [
      {
        name: '64 connections',
        subjects: [
          { subject: 'asyncfn', rounds: [{ 'calls/s': 8_000, cpu: 60 }, { 'calls/s': 9_000 }] },
          { subject: 'floor', rounds: [{ 'calls/s': 10_000 }, { 'calls/s': 10_000 }] },
          { subject: 'bullmq', rounds: [], absent: 'no redis-server' },
        ],
      },
    ],
  });
  expect(table.split('\n')).toEqual([
    '### Accept',
    '',
    '|  |  | calls/s | cpu | calls/s ÷ floor |',
    '| --- | --- | ---: | ---: | ---: |',
    '| 64 connections | asyncfn | 8,500 (8,000–9,000) | 60 (60–60) | 0.85 |',
    '|  | floor | 10,000 (10,000–10,000) |  |  |',
    '|  | bullmq: no redis-server |  |  |  |',
  ]);
});

test.each([
  [0, '0'],
  [0.01234, '0.0123'],
  [7.125, '7.13'],
  [999.4, '999'],
  [1_234.5, '1,230'],
  [12_345, '12,300'],
  [1_234_567, '1,230,000'],
])('%d is written with three digits: %s', (value, text) => {
  expect(toNumber(value)).toBe(text);
});
