import { expect, test } from 'vitest';
import type { RunningSubject } from '../scenario.ts';
import { warmedUp } from './warmed-up.ts';

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

test('a subject is measured once before it counts', async () => {
  let measured = 0;
  const subject = subjectOf(async () => ({ measured: ++measured }));
  const warm = (await warmedUp(subject)) as RunningSubject;
  expect(await warm.measure()).toEqual({ measured: 2 });
  expect(subject.isEnded).toBe(false);
});

test('a subject that cannot be measured is ended', async () => {
  const subject = subjectOf(() => Promise.reject(new Error('refused')));
  await expect(warmedUp(subject)).rejects.toThrow('refused');
  expect(subject.isEnded).toBe(true);
});

test('an absent subject stays absent', async () => {
  expect(await warmedUp({ absent: 'no redis' })).toEqual({ absent: 'no redis' });
});
