import { expect, test } from 'vitest';
import type { LaneState } from '../layout/consumers.ts';
import { UnregisteredNames } from './unregistered-names.ts';

const idle = { pending: 0, inFlight: 0, paused: false, deliveredSequence: 0 };

/** A gateway's view of a queue. `lanes` are the functions that have a consumer there. */
function start(limits = { inAll: 5, perSubmitter: 2 }) {
  const lanes = new Set(['registered']);
  const clock = { now: 0, looks: 0, lookTakes: 0 };
  const names = new UnregisteredNames({
    topology: {
      listLanes: async (queue) => {
        clock.looks += 1;
        const there = queue === 'default' ? [...lanes] : [];
        const found: LaneState[] = there.map((name) => ({ function: name, ...idle }));
        await Promise.resolve();
        clock.now += clock.lookTakes;
        return found;
      },
    },
    register: { isRegistered: (name) => name === 'registered' || name === 'another', resolve: (name) => name },
    limits,
    now: () => clock.now,
  });
  const admit = async (name: string, submitter?: string): Promise<string> => {
    const refusal = await names.admit('default', name, submitter);
    if (refusal === undefined) {
      lanes.add(name);
    }
    return refusal ?? 'admitted';
  };
  return { names, lanes, clock, admit };
}

test('the number of new names is limited for each submitter, and others may bring theirs', async () => {
  const { admit } = start();
  expect(await Promise.all([admit('a', 'eve'), admit('b', 'eve'), admit('c', 'eve')])).toEqual([
    'admitted',
    'admitted',
    'too_many_names',
  ]);
  expect(await admit('c', 'bob')).toBe('admitted');
});

test('the total number of new names is limited, and callers without a token share their part', async () => {
  const { admit } = start();
  const all = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => admit(name)));
  expect(all).toEqual([...Array.from({ length: 5 }, () => 'admitted'), 'too_many_functions']);
  expect(await admit('g', 'bob')).toBe('too_many_functions');
});

test('a registered function is always admitted, and does not count', async () => {
  const { admit } = start({ inAll: 1, perSubmitter: 1 });
  expect(await admit('a', 'eve')).toBe('admitted');
  expect([await admit('registered', 'eve'), await admit('another', 'eve')]).toEqual(['admitted', 'admitted']);
});

test('a name that has a consumer already is admitted, even if another gateway has admitted it', async () => {
  const { admit, lanes } = start({ inAll: 2, perSubmitter: 1 });
  lanes.add('elsewhere');
  expect(await admit('elsewhere', 'eve')).toBe('admitted');
  expect(await admit('a', 'eve')).toBe('admitted');
  expect(await admit('a', 'eve')).toBe('admitted');
  expect(await admit('b', 'bob')).toBe('too_many_functions');
});

test('a name whose consumer is gone makes room', async () => {
  const { admit, lanes, clock } = start();
  await admit('a', 'eve');
  await admit('b', 'eve');
  lanes.delete('a');
  clock.now += 9_000;
  expect(await admit('c', 'eve')).toBe('too_many_names'); // it may be on its way to the broker
  clock.now += 9_000;
  expect(await admit('c', 'eve')).toBe('admitted');
  expect(await admit('d', 'eve')).toBe('too_many_names');
});

test('a listing serves for a while, longer if it has cost much, and callers wait for one together', async () => {
  const { admit, clock } = start({ inAll: 100, perSubmitter: 100 });
  clock.lookTakes = 1_000;
  await Promise.all([admit('a'), admit('b')]);
  expect(clock.looks).toBe(1);
  clock.now = 9_999;
  await admit('c');
  expect(clock.looks).toBe(1);
  clock.now = 10_000;
  await admit('d');
  expect(clock.looks).toBe(2);
});

test('names of one queue do not count for another', async () => {
  const { admit, names } = start({ inAll: 1, perSubmitter: 1 });
  expect(await admit('a', 'eve')).toBe('admitted');
  expect(await names.admit('images', 'b', 'eve')).toBe(undefined);
});
