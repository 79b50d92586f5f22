import { eventually } from '@asyncfn/testkit';
import { describe, expect, inject, test } from 'vitest';
import { flowPlaceIn } from '../src/flows/index.ts';
import { FunctionRegister } from '../src/functions/index.ts';
import type { Call } from '../src/index.ts';
import { CallQueue, type Flows } from '../src/jetstream/index.ts';
import type { Outgoing } from '../src/jetstream/publish/index.ts';
import { type PublishResult, refused } from '../src/publish-result.ts';
import { startServer } from './connected.ts';
import { flowsBehind, isReady, type Key, openKey } from './flow-fixture.ts';
import { buildCall, openManager } from './harness.ts';

const isNotOver = (): boolean => false;

function placeOf({ queue }: Key) {
  return flowPlaceIn(queue, { function: 'echo', key: 'order' });
}

/** A gateway whose messages take this way to the broker. */
function gatewayBehind({ gateway }: Key, flows: Flows): CallQueue {
  const { broker, topology, publisher } = gateway;
  return new CallQueue({ broker, topology, publisher, register: new FunctionRegister(), flows });
}

async function stored(key: Key) {
  await using look = await openManager(inject('natsUrl'));
  return (await look.manager.streams.info(`CALLS_${key.queue}`)).state.last_seq;
}

describe('a call of an idle key', () => {
  test('is stored as ready, with the state of its key and nothing besides', async () => {
    await using key = await openKey();
    const [first] = (await key.accept(1)) as [Call];
    expect(await key.places()).toEqual({ ready: [first.id], waiting: [] });
    expect([await key.records(), await stored(key)]).toEqual([['flow'], 2]);
    await key.end(first);
    const before = await stored(key);
    const [second] = (await key.accept(1)) as [Call];
    expect(await key.places()).toEqual({ ready: [second.id], waiting: [] });
    expect((await stored(key)) - before).toBe(2);
    await key.end(second);
    await eventually(async () => expect(await key.records()).toEqual([]));
  });

  test('that may not run at once waits: behind others, while its key is paused, and until its rate allows it', async () => {
    await using key = await openKey();
    const [first, second] = (await key.accept(2)) as [Call, Call];
    await eventually(async () => expect(await key.records()).toEqual(['flow']));
    expect(await key.places()).toEqual({ ready: [first.id], waiting: [second.id] });
    await key.gateway.flows.control(placeOf(key), { paused: true });
    await key.end(first);
    const [third] = (await key.accept(1)) as [Call];
    expect((await key.places()).waiting).toEqual([second.id, third.id].toSorted());
    await using rated = await openKey();
    const flow = { key: 'order', rate: '1/1h' };
    const [one] = (await rated.accept(1, { flow })) as [Call];
    expect((await rated.places()).ready).toEqual([one.id]);
    await rated.end(one);
    const [two] = (await rated.accept(1, { flow })) as [Call];
    expect(await rated.places()).toEqual({ ready: [], waiting: [two.id] });
  });

  test('does not overtake one that waits and has not got its turn yet', async () => {
    await using key = await openKey();
    const dying = new CallQueue({ ...key.gateway, register: new FunctionRegister(), flows: undefined });
    const first = buildCall(key.queue, { id: 'first', flow: { key: 'order' } });
    expect(await dying.accept(first, { unique: false })).toMatchObject({ kind: 'stored' });
    await key.accept(1);
    await eventually(async () => expect((await key.places()).ready).toEqual(['first']));
  });
});

describe('a gateway that has stored the state of a key', () => {
  const call = (key: Key) => buildCall(key.queue, { id: 'mine', flow: { key: 'order' } });

  test('lets its call wait as others do if the state changes before the call is ready', async () => {
    await using key = await openKey();
    const gateway = gatewayBehind(
      key,
      flowsBehind(key, async (message, publish) => {
        if (isReady(message)) {
          await key.gateway.flows.control(placeOf(key), { pin: { parallelism: 1 } });
        }
        return await publish(message);
      }),
    );
    expect(await gateway.accept(call(key), { unique: false })).toMatchObject({ kind: 'stored' });
    const state = { running: 1, waiting: 0 };
    await eventually(async () => expect(await key.gateway.flows.inspector.find(placeOf(key))).toMatchObject(state));
    expect(await key.places()).toEqual({ ready: ['mine'], waiting: [] });
  });

  test('ends the turn if the ready copy is not confirmed, and one that arrives later is refused', async () => {
    await using key = await openKey();
    const held: Outgoing[] = [];
    const flows = flowsBehind(key, async (message, publish) => {
      if (isReady(message)) {
        held.push(message);
        return refused('timeout', 'no answer');
      }
      return await publish(message);
    });
    expect(await flows.acceptAtOnce(call(key), isNotOver)).toMatchObject({ reason: 'timeout' });
    const [next] = (await key.accept(1)) as [Call];
    await eventually(async () => expect((await key.places()).ready).toEqual([next.id]));
    const late = await key.gateway.publisher.publish(held[0] as Outgoing);
    expect(late).toMatchObject({ kind: 'refused', reason: 'conflict' });
  });

  test('keeps the turn of its call if the ready copy was stored and only its confirmation is lost', async () => {
    await using key = await openKey();
    const states: PublishResult[] = [];
    const flows = flowsBehind(key, async (message, publish) => {
      const result = await publish(message);
      if (isReady(message)) {
        return refused('timeout', 'no answer');
      }
      states.push(result);
      return result;
    });
    expect(await flows.acceptAtOnce(call(key), isNotOver)).toMatchObject({ reason: 'timeout' });
    const [next] = (await key.accept(1)) as [Call];
    await eventually(() => expect(states).toHaveLength(2));
    await eventually(async () => expect(await key.records()).toEqual(['flow']));
    expect(await key.places()).toEqual({ ready: ['mine'], waiting: [next.id] });
  });

  test('and dies, leaves a key that a sweeper lets go on', async () => {
    await using nats = await startServer(); // a sweeper looks at all queues
    await using key = await openKey({ natsUrl: nats.url });
    let isDead = false;
    const dying = flowsBehind(key, async (message, publish) => {
      isDead ||= isReady(message);
      return isDead ? await new Promise<never>(() => {}) : await publish(message);
    });
    void dying.acceptAtOnce(call(key), isNotOver);
    await eventually(async () => expect(await key.records()).toEqual(['flow']));
    await eventually(() => isDead);
    const [next] = (await key.accept(1)) as [Call];
    await eventually(async () => expect(await key.records()).toEqual(['flow']));
    const { sweeper } = key.gateway.flows;
    const later = Date.now() + 60_000;
    expect([await sweeper.sweepStates(later), await sweeper.sweepStates(later)]).toEqual([0, 1]);
    expect(await key.places()).toEqual({ ready: [next.id], waiting: [] });
  });

  test('does not lose its turn to a sweeper that is about to find the call gone', async () => {
    await using nats = await startServer(); // a sweeper looks at all queues
    await using key = await openKey({ natsUrl: nats.url });
    const { sweeper } = key.gateway.flows;
    const later = Date.now() + 60_000;
    const gateway = gatewayBehind(
      key,
      flowsBehind(key, async (message, publish) => {
        if (isReady(message) && message.subject.includes('.mine.')) {
          await sweeper.sweepStates(later);
          await sweeper.sweepStates(later);
        }
        return await publish(message);
      }),
    );
    expect(await gateway.accept(call(key), { unique: false })).toMatchObject({ kind: 'stored' });
    await eventually(async () => expect(await key.places()).toEqual({ ready: ['mine'], waiting: [] }));
    expect(await key.gateway.flows.inspector.find(placeOf(key))).toMatchObject({ running: 1, waiting: 0 });
  });
});
