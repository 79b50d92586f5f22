import type { Backlog } from '@asyncfn/queue-core/jetstream';
import { createLogger } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { createCachedBacklog } from './cached-backlog.ts';

const empty: Backlog = {
  lanes: [],
  scheduled: [],
  consumers: [],
  flows: [],
  callbacks: 0,
  deadLetters: 0,
  batches: 0,
  missing: 0,
};

function setup(queues?: readonly string[]) {
  const clock = { ms: 0 };
  const seen = { looks: 0, served: [] as string[], isAway: false };
  const reader = {
    read(serves: (queue: string) => boolean): Promise<Backlog> {
      seen.looks += 1;
      seen.served = ['default', 'images'].filter(serves);
      return seen.isAway ? Promise.reject(new Error('no answer')) : Promise.resolve(empty);
    },
  };
  const logger = createLogger({ level: 'silent', format: 'json', name: 'test' });
  return { clock, seen, look: createCachedBacklog({ reader, queues, logger, now: () => clock.ms }) };
}

test('all gauges of a scrape and all scrapes of a second share one request', async () => {
  const { clock, seen, look } = setup();
  await Promise.all([look(), look(), look()]);
  clock.ms = 999;
  await look();
  expect(seen.looks).toBe(1);
  clock.ms = 1_000;
  await look();
  expect(seen.looks).toBe(2);
});

test('a worker of some queues asks for those alone', async () => {
  const { seen, look } = setup(['images']);
  await look();
  expect(seen.served).toEqual(['images']);
});

test('while the broker is away nothing is known', async () => {
  const { seen, look } = setup();
  seen.isAway = true;
  expect(await look()).toBeUndefined();
});
