import type { WorkDelivery } from '@asyncfn/queue-core/jetstream';
import { createLogger } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { WorkLoop } from './work-loop.ts';

interface Setup {
  readonly tasks: (string | undefined)[];
  readonly deliveries?: number;
  readonly work?: (task: string) => Promise<void>;
}

/** A loop that takes two at a time, and a source that hands out each task once. */
function start({ tasks, deliveries = 1, work = () => Promise.resolve() }: Setup) {
  const seen = { worked: [] as string[], ends: [] as string[], renewed: 0, reconnect: () => {} };
  const toDelivery = (task: string | undefined): WorkDelivery<string> => ({
    task,
    streamSequence: 1,
    deliveries,
    ack: () => void seen.ends.push(`${task}: ack`),
    nak: (delayMs) => void seen.ends.push(`${task}: back in ${delayMs}`),
    inProgress: () => {
      seen.renewed += 1;
    },
  });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const loop = new WorkLoop<string, WorkDelivery<string>>(
    {
      broker: {
        onConnect: (listener: () => void) => {
          seen.reconnect = listener;
        },
      } as never,
      topology: { ready: true } as never,
      config: { ackWaitMs: 30_000 } as never,
      logger: createLogger({ level: 'silent', format: 'json', name: 'test' }),
    },
    {
      name: 'tests',
      what: 'test',
      source: {
        async fetch(count, take) {
          for (const task of tasks.splice(0, count)) {
            take(toDelivery(task));
          }
        },
      },
      room: (inFlight) => (tasks.length > 0 ? 2 - inFlight : 0),
      async work(delivery, task) {
        seen.worked.push(task);
        await work(task);
        delivery.ack();
      },
    },
  );
  loop.start(stop.signal);
  return { loop, seen };
}

test('work is taken while there is room, and each delivery is settled', async () => {
  const { loop, seen } = start({ tasks: ['a', 'b', 'c'] });
  await eventually(() => seen.ends.length === 3);
  expect(seen.worked).toEqual(['a', 'b', 'c']);
  await loop.whenIdle();
  expect(loop.leases.deliveries()).toEqual([]);
});

test('a message that cannot be read is dropped', async () => {
  const { seen } = start({ tasks: [undefined, 'a'] });
  await eventually(() => seen.ends.length === 2);
  expect(seen.ends).toEqual(['undefined: ack', 'a: ack']);
});

test.each([
  [1, 1_000],
  [4, 4_000],
  [100, 15_000],
])('work that fails at delivery %d comes back after %d ms', async (deliveries, delayMs) => {
  const { seen } = start({ tasks: ['a'], deliveries, work: () => Promise.reject(new Error('fails')) });
  await eventually(() => seen.ends.length === 1);
  expect(seen.ends).toEqual([`a: back in ${delayMs}`]);
});

test('what is in flight counts against the room, and its lease is renewed as soon as the broker is back', async () => {
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { loop, seen } = start({ tasks: ['a', 'b', 'c'], work: () => finished });
  await eventually(() => seen.worked.length === 2);
  seen.reconnect();
  expect(seen.renewed).toBe(2);
  finish();
  await eventually(() => seen.ends.length === 3);
  await loop.whenIdle();
});
