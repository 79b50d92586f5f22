import { expect, test } from 'vitest';
import { cpuMicros, parseStat } from './cpu-time.ts';

test('user and system time are summed, whatever the name of the process', () => {
  const stat = '42 (a) 1 (b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 11 0 900 1000 200';
  expect(parseStat(stat)).toBe(3_000_000);
});

test.runIf(process.platform === 'linux')('a process that works uses CPU time', async () => {
  const before = (await cpuMicros(process.pid)) ?? Number.NaN;
  const end = process.cpuUsage().user + 100_000;
  while (process.cpuUsage().user < end) {
    // works
  }
  expect((await cpuMicros(process.pid)) ?? Number.NaN).toBeGreaterThan(before + 50_000);
});

test('a process that does not exist has no CPU time', async () => {
  expect(await cpuMicros(2 ** 30)).toBeUndefined();
});
