import type { PublishResult, RefusalReason } from '@asyncfn/queue-core';
import { expect, test } from 'vitest';
import { publishWithRetry } from './publish-with-retry.ts';

const stored: PublishResult = { kind: 'stored', sequence: 1, duplicate: false };

function refused(reason: RefusalReason): PublishResult {
  return { kind: 'refused', reason, detail: '' };
}

/** Publishes with the results of the list, one after the other, the last one for ever; and sums up the waits. */
function setup(results: readonly PublishResult[], connected = true) {
  const controller = new AbortController();
  const seen = { tries: 0, waitedMs: 0, controller };
  const run = (limitMs?: number) =>
    publishWithRetry(() => Promise.resolve(results[Math.min(seen.tries++, results.length - 1)] ?? stored), {
      connected: () => connected,
      signal: controller.signal,
      ...(limitMs !== undefined && { limitMs }),
      sleep: (ms) => {
        seen.waitedMs += ms;
        if (seen.tries > 1000) {
          controller.abort();
        }
        return Promise.resolve(true);
      },
    });
  return { seen, run };
}

test('a refusal that may pass is retried until the broker stores the message', async () => {
  const { seen, run } = setup([
    refused('unavailable'),
    refused('timeout'),
    refused('overloaded'),
    refused('undecided'),
    stored,
  ]);
  expect(await run()).toEqual(stored);
  expect(seen.tries).toBe(5);
});

test.each(['conflict', 'queue_full', 'too_large'] as const)('%s is an answer', async (reason) => {
  const { seen, run } = setup([refused(reason)]);
  expect(await run()).toEqual(refused(reason));
  expect(seen.tries).toBe(1);
});

test('a broker that answers and refuses is not asked for ever', async () => {
  const { seen, run } = setup([refused('unavailable')]);
  expect(await run(10_000)).toEqual(refused('unavailable'));
  expect(seen.waitedMs).toBeGreaterThanOrEqual(10_000);
  expect(seen.waitedMs).toBeLessThan(15_000);
});

test('the time during which the broker is away does not count', async () => {
  const { seen, run } = setup([refused('unavailable')], false);
  await run(10_000);
  expect(seen.tries).toBeGreaterThan(1000);
});

test('a stop ends it', async () => {
  const { seen, run } = setup([refused('unavailable')]);
  seen.controller.abort();
  expect(await run()).toEqual(refused('unavailable'));
  expect(seen.tries).toBe(1);
});

test('at its end, the broker is asked one last time', async () => {
  const { seen, run } = setup([refused('timeout'), stored]);
  const running = run();
  seen.controller.abort();
  expect(await running).toEqual(stored);
  const late = setup([refused('timeout')]);
  late.seen.controller.abort();
  expect(await late.run()).toEqual(refused('timeout'));
  expect(late.seen.tries).toBe(1);
});
