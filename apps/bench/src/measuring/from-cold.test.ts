import { expect, test } from 'vitest';
import type { RunningSubject } from '../scenario.ts';
import { fromCold } from './from-cold.ts';

function systemsOf(rates: readonly number[]) {
  const systems = { started: 0, ended: 0 };
  const start = async (): Promise<RunningSubject> => {
    systems.started += 1;
    let round = 0;
    let isEnded = false;
    return {
      async measure() {
        await Promise.resolve();
        return { rate: isEnded ? Number.NaN : (rates[round++] ?? Number.NaN) };
      },
      async [Symbol.asyncDispose]() {
        isEnded = true;
        systems.ended += 1;
      },
    };
  };
  return { systems, start };
}

test('each measurement starts the system again, and compares its first rate with its third', async () => {
  const { systems, start } = systemsOf([60, 90, 100]);
  const subject = (await fromCold(start, 'rate')) as RunningSubject;
  for (const round of [1, 2]) {
    expect(await subject.measure()).toEqual({ 'cold calls/s': 60, 'warm calls/s': 100, 'cold ÷ warm': 0.6 });
    expect(systems).toEqual({ started: round, ended: round });
  }
  await subject[Symbol.asyncDispose]();
  expect(systems.ended).toBe(2);
});

test('a system that was started and never measured is ended', async () => {
  const { systems, start } = systemsOf([]);
  const subject = (await fromCold(start, 'rate')) as RunningSubject;
  await subject[Symbol.asyncDispose]();
  expect(systems).toEqual({ started: 1, ended: 1 });
});

test('an absent subject stays absent', async () => {
  expect(await fromCold(() => Promise.resolve({ absent: 'no redis' }), 'rate')).toEqual({ absent: 'no redis' });
});
