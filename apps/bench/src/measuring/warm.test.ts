import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { RunningSubject } from '../scenario.ts';
import { warm, warmUp } from './warm.ts';

function subjectOf(measure: () => Promise<Record<string, number>>) {
  const subject = {
    isEnded: false,
    measure,
    async [Symbol.asyncDispose]() {
      subject.isEnded = true;
    },
  };
  return subject;
}

test('a subject is measured once before it counts, however long that takes', async () => {
  let measured = 0;
  const subject = subjectOf(async () => ({ measured: ++measured }));
  const running = (await warm(
    { name: 'subject', start: () => Promise.resolve(subject) },
    { coldMs: 0 },
  ).start()) as RunningSubject;
  expect(await running.measure()).toEqual({ measured: 2 });
  expect(subject.isEnded).toBe(false);
});

test('a subject is measured until it is warm', async () => {
  let endedAt = 0;
  const subject = subjectOf(async () => {
    await sleep(10);
    endedAt = performance.now();
    return {};
  });
  const startedAt = performance.now();
  await warmUp(subject, { coldMs: 100 });
  expect(endedAt - startedAt).toBeGreaterThanOrEqual(100);
});

test('a subject that cannot be measured is ended', async () => {
  const subject = subjectOf(() => Promise.reject(new Error('refused')));
  await expect(warmUp(subject, { coldMs: 0 })).rejects.toThrow('refused');
  expect(subject.isEnded).toBe(true);
});

test('an absent subject stays absent', async () => {
  expect(await warmUp({ absent: 'no redis' }, { coldMs: 0 })).toEqual({ absent: 'no redis' });
});
