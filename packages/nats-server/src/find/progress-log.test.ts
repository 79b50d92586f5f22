import { expect, test } from 'vitest';
import { createProgressLog } from './progress-log.ts';

const MIB = 1024 * 1024;

function logOf(receivedBytes: readonly number[], totalBytes?: number): string[] {
  const lines: string[] = [];
  const onProgress = createProgressLog((line) => lines.push(line));
  for (const received of receivedBytes) {
    onProgress({ receivedBytes: received, totalBytes });
  }
  return lines;
}

test('a download of known size gets a line for each tenth that was reached', () => {
  expect(
    logOf(
      [0.1, 1, 1.4, 5, 9.9, 10].map((mib) => mib * MIB),
      10 * MIB,
    ),
  ).toEqual(['1.0 of 10.0 MiB (10 %)', '5.0 of 10.0 MiB (50 %)', '9.9 of 10.0 MiB (90 %)', '10.0 of 10.0 MiB (100 %)']);
});

test('a download of unknown size gets a line from time to time', () => {
  expect(logOf([1, 2, 5, 6, 8.5].map((mib) => mib * MIB))).toEqual(['5.0 MiB', '8.5 MiB']);
});
