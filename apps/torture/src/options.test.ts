import { describe, expect, test } from 'vitest';
import { allFaults } from './faults/schedule.ts';
import { parseCommandLine, UsageError } from './options.ts';

const defaults = { faults: allFaults, seed: 7, folder: '/tmp/somewhere' };

function faultsOf(...args: string[]): string[] {
  const options = parseCommandLine(args, defaults);
  return options.command === 'help' ? [] : options.faults.map(({ name }) => name);
}

test('without options a run takes five minutes, with every fault on three servers', () => {
  expect(parseCommandLine([], defaults)).toEqual({
    command: 'torture',
    durationMs: 300_000,
    gapMs: 2_000,
    seed: 7,
    rate: 60,
    nodes: 3,
    faults: allFaults,
    folder: '/tmp/somewhere',
  });
});

test('parts of their names select faults, and only those that the cluster can have', () => {
  expect(faultsOf('--faults', 'kill')).toEqual(['kill worker', 'kill gateway', 'kill NATS']);
  expect(faultsOf('--faults', 'pause worker, slow')).toEqual(['pause worker', 'slow network']);
  expect(faultsOf('--faults', 'none')).toEqual([]);
  expect(faultsOf('--nodes', '1')).not.toContain('step down leader');
});

test('--help wins over all other options', () => {
  expect(parseCommandLine(['--help'], defaults)).toEqual({ command: 'help' });
  expect(parseCommandLine(['soak', '--nodes', '2', '--help'], defaults)).toEqual({ command: 'help' });
});

test('soak is a command of its own', () => {
  expect(parseCommandLine(['soak', '--duration', '1h'], defaults)).toMatchObject({
    command: 'soak',
    durationMs: 3_600_000,
  });
});

describe('an error names the mistake', () => {
  test.each([
    [['--duration', 'long'], '--duration is long'],
    [['--rate', '-1'], '--rate'],
    [['--nodes', '2'], '--nodes is 2'],
    [['--faults', 'earthquake'], '"earthquake" matches none of: kill worker'],
    [['--speed', '9'], '--speed'],
    [['swim'], 'swim is not a command'],
  ])('%o', (args, problem) => {
    expect(() => parseCommandLine(args, defaults)).toThrow(UsageError);
    expect(() => parseCommandLine(args, defaults)).toThrow(problem);
  });
});
