import { describe, expect, inject, test } from 'vitest';
import { FunctionRegister } from '../src/functions/index.ts';
import { CallQueue, UnregisteredNames } from '../src/jetstream/index.ts';
import { wantedConsumers } from '../src/jetstream/layout/consumer-room.ts';
import { startServer, uniqueQueue } from './connected.ts';
import { buildCall, functionConfig, openManager, startGatewaySide } from './harness.ts';

const plain = { unique: false };

/** A gateway with a default URL, so that every name is a function, and `registered` is one with settings of its own. */
async function startOpenGateway(url: string, queue: string, limits = { inAll: 4, perSubmitter: 2 }) {
  const side = await startGatewaySide(url, { queues: [queue] });
  const register = new FunctionRegister({
    functions: new Map([['registered', functionConfig('registered', queue)]]),
    fallback: (name) => functionConfig(name, queue),
  });
  const { broker, topology, publisher } = side;
  const names = new UnregisteredNames({ topology, register, limits });
  const calls = new CallQueue({ broker, topology, publisher, register, names });
  const accept = async (name: string, submitter?: string): Promise<string> => {
    const result = await calls.accept(
      buildCall(queue, { function: name, ...(submitter !== undefined && { submitter }) }),
      plain,
    );
    return result.kind === 'refused' ? result.reason : result.kind;
  };
  return { accept, topology, [Symbol.asyncDispose]: () => broker.stop() };
}

describe('if every name is a function', () => {
  test('invented names are refused beyond a bound of each submitter and in all, and leave room for registered functions', async () => {
    const queue = uniqueQueue();
    await using one = await startOpenGateway(inject('natsUrl'), queue);
    expect([await one.accept('a', 'eve'), await one.accept('b', 'eve')]).toEqual(['stored', 'stored']);
    expect(await one.accept('c', 'eve')).toBe('too_many_names');
    expect([await one.accept('d', 'bob'), await one.accept('e', 'bob')]).toEqual(['stored', 'stored']);
    expect(await one.accept('f', 'ann')).toBe('too_many_functions');
    expect(await one.accept('registered', 'eve')).toBe('stored');
    expect([await one.accept('a', 'eve'), await one.accept('a', 'ann')]).toEqual(['stored', 'stored']);
    await using other = await startOpenGateway(inject('natsUrl'), queue);
    expect([await other.accept('f', 'ann'), await other.accept('e', 'ann')]).toEqual(['too_many_functions', 'stored']);
    const lanes = await one.topology.listLanes(queue);
    expect(lanes.map((lane) => lane.function).sort()).toEqual(['a', 'b', 'd', 'e', 'registered']);
  });

  test('many first calls at once do not get past the bound', async () => {
    const queue = uniqueQueue();
    await using gateway = await startOpenGateway(inject('natsUrl'), queue, { inAll: 10, perSubmitter: 10 });
    const results = await Promise.all(Array.from({ length: 50 }, (_, index) => gateway.accept(`f${index}`, 'eve')));
    expect(results.filter((result) => result === 'stored')).toHaveLength(10);
    expect(await gateway.topology.listLanes(queue)).toHaveLength(10);
  });
});

describe('the stream of a queue', () => {
  test('has room for ten thousand functions and more, even one that was created without', async () => {
    const [fresh, old] = [uniqueQueue(), uniqueQueue()];
    await using look = await openManager(inject('natsUrl'));
    await look.manager.streams.add({
      name: `CALLS_${old}`,
      subjects: [`calls.${old}.ready.*.*.*`, `calls.${old}.later.*.*.*`],
      retention: 'workqueue',
    });
    await using gateway = await startGatewaySide(inject('natsUrl'), { queues: [fresh, old] });
    expect(wantedConsumers).toBeGreaterThan(15_000);
    for (const queue of [fresh, old]) {
      expect((await look.manager.streams.info(`CALLS_${queue}`)).config.max_consumers).toBe(wantedConsumers);
    }
    expect(gateway.fatal).toEqual([]);
  });

  test('has as many as the account may have, and a call beyond is refused for that reason (P1)', async () => {
    const config =
      'accounts { app { jetstream { max_consumers: 5 }, users: [{ user: app, password: pw }] } }\nno_auth_user: app';
    await using server = await startServer({ config });
    const functions = Array.from({ length: 8 }, (_, index) => functionConfig(`f${index}`, 'default'));
    await using gateway = await startGatewaySide(server.url, { queues: ['default'], functions });
    await using look = await openManager(server.url);
    expect((await look.manager.streams.info('CALLS_default')).config.max_consumers).toBe(5);
    const results = [];
    for (const { name } of functions) {
      results.push(await gateway.queue.accept(buildCall('default', { function: name }), plain));
    }
    const refused = results.filter((result) => result.kind === 'refused');
    expect(refused.length).toBeGreaterThan(0);
    for (const refusal of refused) {
      expect(refusal).toMatchObject({ reason: 'too_many_functions', detail: expect.stringMatching(/max_consumers/) });
    }
    expect(gateway.fatal).toEqual([]);
  });
});
