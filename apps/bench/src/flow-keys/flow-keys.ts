import { ApiClient } from '@asyncfn/stack';
import { Occupancy, sleep, startTestFunction } from '@asyncfn/testkit';
import { drainFigures, draining } from '../measuring/index.ts';
import type { Measurement, Scale, Scenario } from '../scenario.ts';
import { type SystemOptions, startAsyncfn, startBenchFunction } from '../systems/index.ts';
import { once } from './once.ts';
import { startThreeWorkers } from './three-workers.ts';

const keyCount = 10;
const callMs = 50;

/** What flow keys cost: a backlog whose calls have keys, against one whose calls have none. */
export function keyedDrainScenario(options: SystemOptions): Scenario {
  return {
    name: 'flow-keys',
    title: 'Flow keys: accept and drain at 64 slots, the calls spread over many keys',
    figures: [{ name: 'accepted/s', compared: true }, ...drainFigures],
    reference: 'without keys',
    cases: (scale) => [
      {
        name: '',
        subjects: [0, 100, 100_000].map((keys) => ({
          name: keys === 0 ? 'without keys' : `${keys.toLocaleString('en-US')} keys`,
          start: () => startDraining(options, scale, keys),
        })),
      },
    ],
  };
}

async function startDraining(options: SystemOptions, scale: Scale, keys: number) {
  const target = await startBenchFunction();
  const system = await startAsyncfn({ ...options, worker: { functionUrl: target.url, slots: 64 } });
  return draining(system, target, scale, { keys });
}

/** How much time passes between two calls of a key. */
export function keyedOrderScenario(options: SystemOptions): Scenario {
  return {
    name: 'flow-order',
    title: `Flow order: calls of ${callMs} ms of ${keyCount} keys, one at a time of each, over 3 workers`,
    figures: [{ name: 'seconds', compared: true }, { name: 'at once, most' }],
    reference: 'ideal',
    cases: ({ dispatchShare }) => {
      const calls = 100 * dispatchShare;
      const ideal = { seconds: (calls * callMs) / 1_000, 'at once, most': keyCount };
      return [
        {
          name: `${calls} calls of each`,
          subjects: [once('ideal', () => Promise.resolve(ideal)), once('asyncfn', () => runInOrder(options, calls))],
        },
      ];
    },
  };
}

/** From the first call to the end of the last one. Accepting is part of it. */
async function runInOrder(options: SystemOptions, calls: number): Promise<Measurement> {
  const occupancy = new Occupancy();
  await using fn = await startTestFunction({ handler: occupancy.follow(sleep(callMs)), keepBodies: false });
  await using stack = await startThreeWorkers(options, { ordered: fn.url });
  await using client = new ApiClient(stack.gateway.url, 64);
  const keys = Array.from({ length: keyCount }, (_, key) => ({ headers: { 'X-Flow-Key': `key-${key}` } }));
  await Promise.all(keys.map((request) => client.acceptMany('ordered', calls, request)));
  await fn.waitForInvocations(calls * keyCount, 120_000);
  await stack.untilSettled(120_000);
  const { from, to } = occupancy.span;
  return { seconds: (to - from) / 1_000, 'at once, most': occupancy.most };
}
