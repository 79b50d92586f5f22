import { createLogger } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { PurgeJobs } from './purge-jobs.ts';

const logger = createLogger({ name: 'gateway', level: 'silent', format: 'json' });
const stopping = new AbortController().signal;

/** A purge that a test controls. */
function openPurge() {
  const started: unknown[] = [];
  let progress: (purged: number) => void = () => {};
  let settle: { finish: (purged: number) => void; fail: (error: Error) => void } = { finish() {}, fail() {} };
  return {
    started,
    purge: (target: object, options: { onProgress?: (purged: number) => void } = {}) => {
      started.push(target);
      progress = options.onProgress ?? progress;
      return new Promise<number>((finish, fail) => {
        settle = { finish, fail };
      });
    },
    progress: (purged: number) => progress(purged),
    finish: (purged: number) => settle.finish(purged),
    fail: (error: Error) => settle.fail(error),
  };
}

test('a purge that ends in time reports its count', async () => {
  const purge = openPurge();
  const jobs = new PurgeJobs({ purge, logger, stopping });
  const answer = jobs.run({ queue: 'default' });
  purge.finish(7);
  expect(await answer).toEqual({ purged: 7, done: true });
});

test('a purge that takes longer goes on, and the next request joins it', async () => {
  const purge = openPurge();
  const jobs = new PurgeJobs({ purge, logger, stopping, patienceMs: 20 });
  const first = jobs.run({ queue: 'default' });
  purge.progress(3);
  expect(await first).toEqual({ purged: 3, done: false });
  const second = jobs.run({ queue: 'default' });
  purge.finish(9);
  expect(await second).toEqual({ purged: 9, done: true });
  expect(purge.started).toEqual([{ queue: 'default' }]);
  void jobs.run({ queue: 'default' });
  void jobs.run({ function: 'default' });
  expect(purge.started).toHaveLength(3);
});

test('the request that waits for a purge learns of its failure, and the next request starts another one', async () => {
  const purge = openPurge();
  const jobs = new PurgeJobs({ purge, logger, stopping });
  const answer = jobs.run({ function: 'echo' });
  purge.fail(new Error('the broker is away'));
  await expect(answer).rejects.toThrow('the broker is away');
  const again = jobs.run({ function: 'echo' });
  purge.finish(1);
  expect(await again).toEqual({ purged: 1, done: true });
});
