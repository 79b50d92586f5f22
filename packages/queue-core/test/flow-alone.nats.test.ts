import { eventually } from '@asyncfn/testkit';
import { describe, expect, inject, test } from 'vitest';
import { flowPlaceIn } from '../src/flows/index.ts';
import { FunctionRegister } from '../src/functions/index.ts';
import { type Call, callHeader, decodeCall } from '../src/index.ts';
import { CallQueue, Flows } from '../src/jetstream/index.ts';
import { type Key, openKey } from './flow-fixture.ts';
import { buildCall, openManager } from './harness.ts';

const flow = { key: 'order' };

/** The call as a worker gets it. */
async function delivered({ queue }: Key, { id }: Call): Promise<Call> {
  await using look = await openManager(inject('natsUrl'));
  const query = { last_by_subj: `calls.${queue}.ready.~.echo.${id}.*.*` };
  const message = await look.manager.streams.getMessage(`CALLS_${queue}`, query);
  const decoded = message && decodeCall(message.header.get(callHeader), message.data);
  return decoded?.kind === 'call' ? decoded.call : expect.fail('the call is not ready');
}

async function acceptAlone(key: Key, changes: Partial<Call> = {}): Promise<Call> {
  const [call] = (await key.accept(1, { flow, ...changes })) as [Call];
  return await delivered(key, call);
}

/** The turns of a process, and how often it has read something from the broker. */
function counting({ gateway }: Key): { readonly flows: Flows; readonly reads: () => number } {
  const { publisher, broker, logger, topology } = gateway;
  let reads = 0;
  const counted = {
    get manager() {
      reads += 1;
      return topology.manager;
    },
    listQueues: () => expect.fail('it asks for the queues'),
    hasLane: () => true,
    ensureFunction: () => expect.fail('it opens a lane'),
  };
  const deps = { topology: counted, publisher, lookup: () => undefined, earliest: broker.clock.earliest, logger };
  return { flows: new Flows(deps), reads: () => reads };
}

describe('a call that is alone', () => {
  test('ends its turn with one message and one read, and its key is soon forgotten', async () => {
    await using key = await openKey();
    const call = await acceptAlone(key);
    expect(call.flow?.aloneAt).toBeGreaterThan(0);
    const { flows, reads } = counting(key);
    expect(await flows.ended(call)).toEqual({ kind: 'done' });
    expect(reads()).toBe(1);
    await key.end(call);
    const next = await acceptAlone(key);
    expect(next.flow?.aloneAt).toBeGreaterThan(call.flow?.aloneAt ?? 0);
    expect(await flows.ended(next)).toEqual({ kind: 'done' });
    await eventually(async () => expect(await key.records()).toEqual([]));
  });

  test('lets the one go on that has come meanwhile, and one that comes after that', async () => {
    await using key = await openKey();
    const first = await acceptAlone(key);
    const [second] = (await key.accept(1)) as [Call];
    // The gateway has found no turn for it.
    await eventually(async () => expect(await key.records()).toEqual(['flow']));
    const [third] = (await key.accept(1)) as [Call];
    await key.end(first);
    await eventually(async () => expect(await key.places()).toEqual({ ready: [second.id], waiting: [third.id] }));
    // Its turn has ended: a repeated delivery changes nothing.
    await key.end(first);
    expect(await key.places()).toEqual({ ready: [second.id], waiting: [third.id] });
    await key.end(await delivered(key, second));
    await eventually(async () => expect((await key.places()).ready).toEqual([third.id]));
  });

  test('finds one that has been stored by a gateway that is dead', async () => {
    await using key = await openKey();
    const first = await acceptAlone(key);
    const dying = new CallQueue({ ...key.gateway, register: new FunctionRegister(), flows: undefined });
    const second = buildCall(key.queue, { id: 'second', flow });
    expect(await dying.accept(second, { unique: false })).toMatchObject({ kind: 'stored' });
    await key.end(first);
    expect(await key.places()).toEqual({ ready: ['second'], waiting: [] });
  });

  test('keeps what an operator has said meanwhile', async () => {
    await using key = await openKey();
    const place = flowPlaceIn(key.queue, { function: 'echo', key: 'order' });
    const first = await acceptAlone(key);
    await key.gateway.flows.control(place, { paused: true });
    const [second] = (await key.accept(1)) as [Call];
    await key.end(first);
    expect(await key.places()).toEqual({ ready: [], waiting: [second.id] });
    await key.gateway.flows.control(place, { paused: false });
    expect(await key.places()).toEqual({ ready: [second.id], waiting: [] });
  });

  test.each<[string, { earlier?: Partial<Call>; changes?: Partial<Call> }]>([
    ['with a rate, because its end counts', { changes: { flow: { ...flow, rate: '5/1h' } } }],
    ['beside another one', { earlier: { flow: { ...flow, parallelism: 3 } } }],
  ])('is none %s', async (_, { earlier, changes }) => {
    await using key = await openKey();
    if (earlier !== undefined) {
      await key.accept(1, earlier);
    }
    expect((await acceptAlone(key, changes)).flow).not.toHaveProperty('aloneAt');
  });

  test('is none while an operator has pinned limits, or a call before it has named others', async () => {
    await using key = await openKey();
    const place = flowPlaceIn(key.queue, { function: 'echo', key: 'order' });
    await key.gateway.flows.control(place, { pin: { parallelism: 2 } });
    const pinned = await acceptAlone(key);
    expect(pinned.flow).not.toHaveProperty('aloneAt');
    await key.end(pinned);
    await key.gateway.flows.control(place, { pin: null });
    const named = await acceptAlone(key, { flow: { ...flow, parallelism: 3 } });
    expect(named.flow?.aloneAt).toBeGreaterThan(0);
    await key.end(named);
    const unnamed = await acceptAlone(key);
    expect(unnamed.flow).not.toHaveProperty('aloneAt');
    await key.end(unnamed);
  });
});
