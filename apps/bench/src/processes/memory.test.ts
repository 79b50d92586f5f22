import { expect, test } from 'vitest';
import { parseStatus, residentMiB } from './memory.ts';

test('resident memory is read in MiB', () => {
  expect(parseStatus('Name:\tnode\nVmPeak:\t  900000 kB\nVmRSS:\t  131072 kB\nThreads:\t11\n')).toBe(128);
});

test('a process that does not exist has no memory', async () => {
  expect(await residentMiB(2 ** 30)).toBeNaN();
});
