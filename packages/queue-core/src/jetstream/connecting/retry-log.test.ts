import { describe, expect, test } from 'vitest';
import { QueueError } from '../../errors.ts';
import { RetryLog } from './retry-log.ts';

/** A log of retries with a clock of its own. */
function createRetryLog() {
  const lines: { atMs: number; level: string; reason: string }[] = [];
  const clock = { ms: 0 };
  const write =
    (level: string) =>
    ({ err }: { err?: Error }): void =>
      void lines.push({ atMs: clock.ms, level, reason: err?.message ?? '' });
  const logger = { info: write('info'), warn: write('warn'), error: write('error') };
  const log = new RetryLog(logger, 'not yet', () => clock.ms);
  const failEvery = (stepMs: number, untilMs: number, reason = 'away'): void => {
    for (; clock.ms <= untilMs; clock.ms += stepMs) {
      log.failed(new QueueError('broker', reason), {});
    }
  };
  return { log, lines, clock, failEvery };
}

describe('an error', () => {
  test('that lasts is logged more and more rarely, and in an hour no more than once in five minutes', () => {
    const { lines, failEvery } = createRetryLog();
    failEvery(2_000, 3_600_000);
    expect(lines.slice(0, 5).map(({ atMs }) => atMs)).toEqual([0, 2_000, 4_000, 8_000, 16_000]);
    const lastGaps = lines.slice(-3).map(({ atMs }, index, all) => atMs - (all[index - 1]?.atMs ?? atMs));
    expect(lastGaps).toEqual([0, 300_000, 300_000]);
    expect(lines.length).toBeLessThan(22);
  });

  test('does not raise the level in the first three tries', () => {
    const { lines, failEvery } = createRetryLog();
    failEvery(1_000, 4_000);
    expect(lines.map(({ level }) => level)).toEqual(['info', 'info', 'info', 'warn']);
  });

  test('of another kind is logged at once', () => {
    const { lines, clock, failEvery } = createRetryLog();
    failEvery(1_000, 5_000);
    const before = lines.length;
    failEvery(1_000, clock.ms, 'full');
    expect(lines.slice(before)).toEqual([{ atMs: 6_000, level: 'warn', reason: 'full' }]);
  });

  test('that comes again after it was over is a new one', () => {
    const { log, lines, clock, failEvery } = createRetryLog();
    failEvery(1_000, 60_000);
    log.succeeded();
    const before = lines.length;
    failEvery(1_000, clock.ms);
    expect(lines.slice(before).map(({ level }) => level)).toEqual(['info']);
  });
});
