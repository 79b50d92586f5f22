import { expect, test } from 'vitest';
import { parseOptions, toUsage } from './options.ts';

test('everything is measured at full scale by default', () => {
  expect(parseOptions([])).toEqual({
    kind: 'run',
    filters: [],
    scale: 'full',
    rounds: undefined,
    cpus: undefined,
    out: undefined,
  });
});

test('filters, scale, rounds, cores and files may come in any order', () => {
  expect(parseOptions(['--quick', 'accept', '--rounds', '7', '--cpus', '0.5', '--out', 'numbers', 'drain'])).toEqual({
    kind: 'run',
    filters: ['accept', 'drain'],
    scale: 'quick',
    rounds: 7,
    cpus: 0.5,
    out: 'numbers',
  });
});

test.each([
  [['--fast'], /--fast/],
  [['--rounds', '0'], /--rounds is a number from 1 to 99, not 0/],
  [['--rounds', 'many'], /--rounds/],
  [['--cpus', '0'], /--cpus is a number of cores from 0.1, such as 0.5, not 0/],
  [['--cpus', 'half'], /--cpus/],
])('%j is answered with what is wrong', (args, problem) => {
  expect(parseOptions(args)).toEqual({ kind: 'usage', problem: expect.stringMatching(problem) });
});

test('--help is not an error', () => {
  expect(parseOptions(['--help'])).toEqual({ kind: 'usage', problem: undefined });
});

test('a leading -- is skipped', () => {
  expect(parseOptions(['--', '--help'])).toEqual({ kind: 'usage', problem: undefined });
  expect(parseOptions(['--', 'accept', '--smoke'])).toMatchObject({ filters: ['accept'], scale: 'smoke' });
});

test('the usage names every scenario, each in a line with what it measures', () => {
  const usage = toUsage([
    { name: 'accept', title: 'POST until 202' },
    { name: 'cap', title: 'Three workers' },
  ]);
  expect(usage).toContain('\n  accept  POST until 202\n  cap     Three workers');
});
