import { AsyncfnClient } from '@asyncfn/client';
import { startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

/** `SCHEDULES=10000` takes two minutes more. */
const count = Number(process.env['SCHEDULES'] ?? 2_000);

test(`${count} schedules of one minute are called once each`, async () => {
  await using target = await startTestFunction();
  await using stack = await startStack({ functions: { target: target.url }, workers: 2, logs: 'file' });
  const { schedules } = new AsyncfnClient({ url: stack.gateway.url });
  const names = Array.from({ length: count }, (_, index) => `s-${index}`);
  const store = async (some: readonly string[], cron: string): Promise<number> => {
    const startedAt = performance.now();
    const rest = some.values();
    const putRest = async (): Promise<void> => {
      for (const name of rest) {
        await schedules.put(name, { function: 'target', cron });
      }
    };
    await Promise.all(Array.from({ length: 64 }, putRest));
    return performance.now() - startedAt;
  };
  // The minute has to come after all of them are stored, however slow the machine is.
  const never = '0 0 29 2 *';
  const some = names.slice(0, count / 10);
  await store(some, never); // the first ones take longer
  const storingMs = (await store(some, never)) * 10;
  const minute = new Date(Date.now() + 2 * storingMs + 60_000);
  await store(names, `${minute.getUTCMinutes()} ${minute.getUTCHours()} * * *`);
  await target.waitForInvocations(names.length, 400_000);
  const called = target.invocations.map(({ headers }) => headers['x-schedule-name']);
  expect(called).toHaveLength(names.length);
  expect(new Set(called).size).toBe(names.length);
}, 600_000);
