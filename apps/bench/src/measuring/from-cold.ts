import type { Absence, Measurement, RunningSubject } from '../scenario.ts';

export const coldFigures = [
  { name: 'cold calls/s', compared: true },
  { name: 'warm calls/s', compared: true },
  { name: 'cold ÷ warm' },
];

/**
 * A subject that is started again for each measurement: its first measurement is the cold one, the third the warm one.
 * `figure` is the rate to read from each.
 */
export async function fromCold(
  start: () => Promise<RunningSubject | Absence>,
  figure: string,
): Promise<RunningSubject | Absence> {
  let next: RunningSubject | Absence | undefined = await start();
  if ('absent' in next) {
    return next;
  }
  return {
    async measure() {
      const subject = next ?? (await start());
      next = undefined;
      if ('absent' in subject) {
        throw new Error(`started once, but not again: ${subject.absent}`);
      }
      await using running = subject;
      return await measureBoth(running, figure);
    },
    async [Symbol.asyncDispose]() {
      if (next !== undefined && !('absent' in next)) {
        await next[Symbol.asyncDispose]();
      }
    },
  };
}

async function measureBoth(running: RunningSubject, figure: string): Promise<Measurement> {
  const { [figure]: cold = Number.NaN } = await running.measure();
  await running.measure();
  const { [figure]: warm = Number.NaN } = await running.measure();
  return { 'cold calls/s': cold, 'warm calls/s': warm, 'cold ÷ warm': cold / warm };
}
