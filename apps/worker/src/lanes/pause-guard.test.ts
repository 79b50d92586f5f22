import { QueueError } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import type { Delivery } from '@asyncfn/queue-core/jetstream';
import { createLogger } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { PauseGuard, type PauseGuardOptions } from './pause-guard.ts';

const delivery = { queue: 'default', function: 'echo' } as Delivery;

function createGuard({ ensureFunction, handBack }: Partial<PauseGuardOptions['topology'] & PauseGuardOptions> = {}) {
  const done: string[] = [];
  const logged: string[] = [];
  const guard = new PauseGuard({
    register: { lookup: (name) => ({ name }) as FunctionConfig },
    topology: {
      forgetLane: (queue, name) => void done.push(`forget ${queue}/${name}`),
      ensureFunction:
        ensureFunction ??
        (async ({ queue, name }) => {
          await Promise.resolve();
          done.push(`ensure ${queue}/${name}`);
        }),
    },
    logger: createLogger({
      name: 'worker',
      level: 'info',
      format: 'json',
      destination: { write: (line) => void logged.push((JSON.parse(line) as { msg: string }).msg) },
    }),
    handBack: handBack ?? (async () => void done.push('hand back')),
  });
  return { guard, done, logged };
}

test('a call of a paused function is handed back once its consumer is paused, which is done once for all that come', async () => {
  const { guard, done } = createGuard();
  await Promise.all([guard.hold(delivery), guard.hold(delivery)]);
  expect(done).toEqual(['forget default/echo', 'ensure default/echo', 'hand back', 'hand back']);
  await guard.hold(delivery);
  expect(done.slice(4)).toEqual(['forget default/echo', 'ensure default/echo', 'hand back']);
});

test('it is handed back even if the broker does not pause the consumer, and a failure of either is logged', async () => {
  const away = () => Promise.reject(new QueueError('broker', 'no answer'));
  const unpaused = createGuard({ ensureFunction: away });
  await unpaused.guard.hold(delivery);
  expect(unpaused.done).toEqual(['forget default/echo', 'hand back']);
  expect(unpaused.logged).toEqual(['consumer of a paused function could not be paused yet']);
  const stuck = createGuard({ handBack: away });
  await stuck.guard.hold(delivery);
  expect(stuck.logged).toEqual(['a call of a paused function waits for its lease']);
});
