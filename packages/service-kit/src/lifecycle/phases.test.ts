import { describe, expect, test } from 'vitest';
import { capturedLogger } from '../../test/captured-logger.ts';
import { runPhases } from './phases.ts';

const LONG_MS = 60_000;

describe('runPhases', () => {
  test('runs one after the other and logs how long each took', async () => {
    const { logger, lines } = capturedLogger();
    const order: string[] = [];
    let clockMs = 0;
    const phase = (name: string, tookMs: number) => ({
      name,
      timeoutMs: LONG_MS,
      async run() {
        order.push(`${name} begins`);
        await new Promise(setImmediate);
        clockMs += tookMs;
        order.push(`${name} ends`);
      },
    });
    const result = await runPhases([phase('close intake', 7), phase('drain', 20)], { logger, now: () => clockMs });
    expect(order).toEqual(['close intake begins', 'close intake ends', 'drain begins', 'drain ends']);
    expect(result).toEqual({
      clean: true,
      phases: [
        { name: 'close intake', outcome: 'done', durationMs: 7 },
        { name: 'drain', outcome: 'done', durationMs: 20 },
      ],
    });
    expect(lines).toMatchObject([
      { level: 'info', phase: 'close intake', durationMs: 7, msg: 'phase done' },
      { level: 'info', phase: 'drain', durationMs: 20, msg: 'phase done' },
    ]);
  });

  test('a phase may use its whole time, even if that is longer than a timer can be', async () => {
    const { logger } = capturedLogger();
    const run = async (): Promise<void> => void (await new Promise((resolve) => setTimeout(resolve, 20)));
    const { clean } = await runPhases([{ name: 'finish calls', timeoutMs: 60 * 86_400_000, run }], { logger });
    expect(clean).toBe(true);
  });

  test('a phase over its time limit sees its signal abort, and the next begins', async () => {
    const { logger, lines } = capturedLogger();
    let signalled = false;
    const result = await runPhases(
      [
        {
          name: 'hangs',
          timeoutMs: 5,
          run: (signal) =>
            new Promise(() => {
              signal.addEventListener('abort', () => {
                signalled = true;
              });
            }),
        },
        { name: 'next', timeoutMs: LONG_MS, run: () => expect(signalled).toBe(true) },
      ],
      { logger },
    );
    expect(result.clean).toBe(false);
    expect(result.phases.map(({ outcome }) => outcome)).toEqual(['timed out', 'done']);
    expect(lines[0]).toMatchObject({ level: 'warn', phase: 'hangs', msg: 'phase took too long' });
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('no', { cause: new Error('broken pipe') }))],
    [
      'throws',
      () => {
        throw new Error('no', { cause: new Error('broken pipe') });
      },
    ],
  ])('a phase that %s is logged with its cause, and the next runs', async (_, run) => {
    const { logger, lines } = capturedLogger();
    let ran = false;
    const next = () => {
      ran = true;
    };
    const result = await runPhases(
      [
        { name: 'fails', timeoutMs: LONG_MS, run },
        { name: 'next', timeoutMs: LONG_MS, run: next },
      ],
      { logger },
    );
    expect(ran).toBe(true);
    expect(result).toMatchObject({ clean: false, phases: [{ outcome: 'failed' }, { outcome: 'done' }] });
    expect(lines[0]).toMatchObject({ level: 'error', msg: 'phase failed', err: { cause: { message: 'broken pipe' } } });
  });

  test('a failure of a phase after its time is ignored', async () => {
    const { logger } = capturedLogger();
    const late = (signal: AbortSignal) =>
      new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => setImmediate(() => reject(new Error('late'))));
      });
    await runPhases([{ name: 'late', timeoutMs: 1, run: late }], { logger });
    // An unhandled rejection in these turns would fail the test run.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
  });
});
