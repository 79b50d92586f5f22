import { eventually } from '@asyncfn/testkit';
import { describe, expect, inject, test } from 'vitest';
import { flowIdOf, flowPlaceIn } from '../src/flows/index.ts';
import { FunctionRegister } from '../src/functions/index.ts';
import type { Call } from '../src/index.ts';
import { toFlowGroup } from '../src/jetstream/flows/index.ts';
import { CallQueue, Flows } from '../src/jetstream/index.ts';
import { toCallMessage } from '../src/jetstream/intake/call-message.ts';
import { MessageHeaders } from '../src/jetstream/messages/index.ts';
import type { Outgoing } from '../src/jetstream/publish/index.ts';
import { refused } from '../src/publish-result.ts';
import { startServer } from './connected.ts';
import { flowsBehind, isReady, type Key, openKey } from './flow-fixture.ts';
import { buildCall, openManager, startGatewaySide } from './harness.ts';

const others = { flow: { key: 'another' } };

describe('calls of a key', () => {
  test('get their turn one after the other, in the order in which they were accepted', async () => {
    await using key = await openKey();
    const calls = await key.accept(5);
    for (const [index, call] of calls.entries()) {
      const waiting = calls.slice(index + 1).map(({ id }) => id);
      await eventually(async () => expect(await key.places()).toEqual({ ready: [call.id], waiting }));
      await key.end(call);
    }
    await eventually(async () => expect(await key.records()).toEqual([]));
    expect(await key.places()).toEqual({ ready: [], waiting: [] });
  });

  test('are as many at once as the caller says, and the settings of the function outrank that', async () => {
    await using key = await openKey();
    const calls = await key.accept(4, { flow: { key: 'order', parallelism: 3 } });
    await eventually(async () => expect((await key.places()).ready).toHaveLength(3));
    const [first] = calls as [Call];
    await key.end(first);
    await eventually(async () => expect((await key.places()).waiting).toEqual([]));
    await using limited = await openKey({ parallelism: 2 });
    await limited.accept(4, { flow: { key: 'order', parallelism: 3 } });
    await eventually(async () => expect((await limited.places()).ready).toHaveLength(2));
    await eventually(async () => expect(await limited.records()).toEqual(['flow']));
    expect((await limited.places()).ready).toHaveLength(2);
  });

  test('go on however long the ids of those are that run at once', async () => {
    await using key = await openKey();
    const id = (n: number) => `${n}-${'x'.repeat(128)}`.slice(0, 128);
    const accepting = Array.from({ length: 460 }, async (_, n) => {
      const call = buildCall(key.queue, { id: id(n), flow: { key: 'order', parallelism: 1_000 } });
      expect(await key.gateway.queue.accept(call, { unique: false })).toMatchObject({ kind: 'stored' });
      return call;
    });
    const calls = await Promise.all(accepting);
    const ready = async () => (await key.places()).ready;
    await eventually(async () => (await ready()).length > 300);
    // As many as there is room for in the state of the key.
    const place = flowPlaceIn(key.queue, { function: 'echo', key: 'order' });
    await eventually(async () => (await key.gateway.flows.control(place, {})).kind === 'done');
    const first = await ready();
    expect(first.length).toBeLessThan(460);
    await key.end(calls.find(({ id: each }) => first.includes(each)) as Call);
    expect(await ready()).toHaveLength(first.length);
  });

  test('follow what the latest of them says, from the next step on', async () => {
    await using key = await openKey();
    const [first] = (await key.accept(4, { flow: { key: 'order', parallelism: 1 } })) as [Call];
    await eventually(async () => expect((await key.places()).ready).toEqual([first.id]));
    await key.accept(1, { flow: { key: 'order', parallelism: 3 } });
    await eventually(async () => expect((await key.places()).ready).toHaveLength(3));
  });

  test('neither wait for other keys nor for the same key of another submitter or function', async () => {
    await using key = await openKey();
    await key.accept(2);
    await key.accept(1, others);
    await key.accept(1, { submitter: 'shop' });
    await key.accept(1, { function: 'hash' });
    await eventually(async () => expect((await key.places()).ready).toHaveLength(4));
    expect((await key.places()).waiting).toHaveLength(1);
  });

  test('whose id, idempotency key or expiry is checked wait as the others do', async () => {
    await using key = await openKey();
    const [first] = (await key.accept(1)) as [Call];
    const call = buildCall(key.queue, { id: 'chosen', flow: { key: 'order' }, expiresAt: Date.now() + 60_000 });
    expect(await key.gateway.queue.accept(call, { unique: true, key: 'once' })).toMatchObject({ kind: 'stored' });
    expect(await key.gateway.queue.accept(call, { unique: true, key: 'once' })).toMatchObject({ kind: 'replayed' });
    const same = buildCall(key.queue, { id: 'chosen' });
    expect(await key.gateway.queue.accept(same, { unique: true })).toMatchObject({ reason: 'conflict' });
    await eventually(async () => expect(await key.places()).toEqual({ ready: [first.id], waiting: ['chosen'] }));
    await key.end(first);
    await eventually(async () => expect((await key.places()).ready).toEqual(['chosen']));
  });

  test('keep their order whichever of several processes give the turns', async () => {
    await using key = await openKey();
    await using other = await startGatewaySide(inject('natsUrl'), { queues: [key.queue] });
    const calls = await key.accept(20);
    for (const [index, call] of calls.entries()) {
      await eventually(async () => expect((await key.places()).ready).toEqual([call.id]));
      await Promise.all([key.gateway.flows.ended(call), other.flows.ended(call), other.flows.ended(call)]);
      await key.end(call);
      await eventually(async () => expect((await key.places()).waiting).toHaveLength(Math.max(0, 18 - index)));
    }
  });
});

test('the notices of a key are removed one at a time, because the broker counts all ready calls after a larger removal', async () => {
  await using key = await openKey();
  await key.accept(2);
  const { streams } = key.gateway.topology.manager;
  const purge = streams.purge.bind(streams);
  const purged: number[] = [];
  streams.purge = async (...args) => {
    const result = await purge(...args);
    purged.push(result.purged);
    return result;
  };
  await Promise.all(Array.from({ length: 20 }, () => key.accept(1)));
  await eventually(async () => expect(await key.records()).toEqual(['flow']));
  expect(purged.reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(20);
  expect(Math.max(...purged)).toBe(1);
});

describe('the rate of a key', () => {
  const rated = (rate: string, parallelism = 1) => ({ flow: { key: 'order', rate, parallelism } });
  const placeOf = async (key: Key, call: Call) => {
    await using look = await openManager(inject('natsUrl'));
    const query = { last_by_subj: `calls.${key.queue}.*.~.echo.${call.id}.*.*` };
    const message = await look.manager.streams.getMessage(`CALLS_${key.queue}`, query);
    const due = message?.header.get('Nats-Schedule').replace('@at ', '') ?? '';
    return { readiness: message?.subject.split('.')[2], storedAt: message?.time.getTime(), dueAt: Date.parse(due) };
  };

  test('gives the next call its turn a period after the end of one, and the broker moves it into its queue', async () => {
    await using key = await openKey();
    const [first, second, third] = (await key.accept(3, rated('2/1s', 3))) as [Call, Call, Call];
    await eventually(async () => expect((await key.places()).ready).toEqual([first.id, second.id].toSorted()));
    expect((await placeOf(key, third)).readiness).toBe('wait');
    const endedAt = Date.now();
    await key.end(first);
    const { readiness, dueAt } = await placeOf(key, third);
    expect(['later', 'ready']).toContain(readiness);
    expect(Number.isNaN(dueAt) ? endedAt + 1_000 : dueAt).toBeGreaterThanOrEqual(endedAt + 1_000);
    await eventually(async () => expect((await key.places()).ready).toContain(third.id));
    expect((await placeOf(key, third)).storedAt).toBeGreaterThanOrEqual(endedAt + 1_000);
  });

  test('counts calls that have ended although none of the key is left, and not for longer than a period', async () => {
    await using key = await openKey();
    const [first] = (await key.accept(1, rated('1/1h'))) as [Call];
    await eventually(async () => expect((await key.places()).ready).toEqual([first.id]));
    await key.end(first);
    expect(await key.records()).toEqual(['flow']);
    const { inspector } = key.gateway.flows;
    expect(
      (await inspector.list({ includes: () => true }, 1_000)).flows.filter(({ queue }) => queue === key.queue),
    ).toEqual([]);
    const [second] = (await key.accept(1, rated('1/1h'))) as [Call];
    await eventually(async () => expect((await placeOf(key, second)).readiness).toBe('later'));
    expect((await placeOf(key, second)).dueAt).toBeGreaterThan(Date.now() + 3_000_000);
    await using brief = await openKey();
    const [only] = (await brief.accept(1, rated('1/100ms'))) as [Call];
    await eventually(async () => expect((await brief.places()).ready).toEqual([only.id]));
    await brief.end(only);
    await eventually(async () => expect(await brief.records()).toEqual([]));
  });

  test('is that of the pin, or of the settings of the function, or of the latest call', async () => {
    await using key = await openKey();
    const place = flowPlaceIn(key.queue, { function: 'echo', key: 'order' });
    const { flows } = key.gateway;
    const rateOf = async () => (await flows.inspector.find(place)).rate;
    await key.accept(1, rated('1/1h'));
    await eventually(async () => expect(await rateOf()).toEqual({ count: 1, periodMs: 3_600_000 }));
    await key.accept(1, rated('2/1h'));
    await eventually(async () => expect(await rateOf()).toEqual({ count: 2, periodMs: 3_600_000 }));
    await flows.control(place, { pin: { rate: '3/1h' } });
    expect(await rateOf()).toEqual({ count: 3, periodMs: 3_600_000 });
    expect(await flows.inspector.find(place)).toMatchObject({ parallelism: 1, pinned: true });
  });

  test('keeps no call waiting if the process that has stored an end dies before it looks again', async () => {
    await using nats = await startServer(); // a sweeper looks at all queues
    await using key = await openKey({ natsUrl: nats.url });
    const { broker, topology, publisher, flows } = key.gateway;
    const dying = new CallQueue({ broker, topology, publisher, register: new FunctionRegister() });
    const call = buildCall(key.queue, rated('1/100ms'));
    expect(await dying.accept(call, { unique: false })).toMatchObject({ kind: 'stored' });
    const headers = new MessageHeaders();
    const of = { v: 1, function: 'echo', key: 'order', running: [], cursor: 0 };
    headers.set('Asyncfn-Flow', JSON.stringify({ ...of, rate: '1/100ms', justEnded: 1 }));
    const id = flowIdOf({ function: 'echo', key: 'order' });
    await publisher.publish({ subject: `flows.${key.queue}.flow.${id}`, headers, body: new Uint8Array() });
    expect(await flows.sweeper.sweepStates(Date.now() + 60_000)).toBe(1);
    await eventually(async () => expect(await key.places()).toEqual({ ready: [call.id], waiting: [] }));
  });
});

describe('an operator', () => {
  const place = (key: Key, name = 'order') => flowPlaceIn(key.queue, { function: 'echo', key: name });
  const stateOf = async (key: Key) => {
    const { waiting, running, parallelism, paused, pinned } = await key.gateway.flows.inspector.find(place(key));
    return { waiting, running, parallelism, paused, pinned };
  };
  const calm = { parallelism: 1, paused: false, pinned: false };

  test('sees how many calls of a key wait and run, and no call that was cancelled or has ended', async () => {
    await using key = await openKey();
    expect(await stateOf(key)).toEqual({ waiting: 0, running: 0, ...calm });
    const [first, second, third] = (await key.accept(3)) as [Call, Call, Call];
    await eventually(async () => expect(await stateOf(key)).toEqual({ waiting: 2, running: 1, ...calm }));
    // A cancel removes the call first.
    await using look = await openManager(inject('natsUrl'));
    await look.manager.streams.purge(`CALLS_${key.queue}`, {
      filter: `calls.${key.queue}.wait.~.echo.${second.id}.*.*`,
    });
    expect(await key.gateway.flows.removed(second)).toEqual({ kind: 'done' });
    expect(await stateOf(key)).toEqual({ waiting: 1, running: 1, ...calm });
    // One that waits again keeps its place.
    expect(await key.gateway.flows.removed(third)).toEqual({ kind: 'done' });
    expect(await stateOf(key)).toEqual({ waiting: 1, running: 1, ...calm });
    await key.end(first);
    await key.end(third);
    expect(await stateOf(key)).toEqual({ waiting: 0, running: 0, ...calm });
  });

  test('pauses a key: no further call has its turn, and no other key is affected', async () => {
    await using key = await openKey();
    const { flows } = key.gateway;
    expect(await flows.control(place(key), { paused: true })).toEqual({ kind: 'done' });
    const [first, second] = (await key.accept(2)) as [Call, Call];
    const [other] = (await key.accept(1, others)) as [Call];
    await eventually(async () => expect((await key.places()).ready).toEqual([other.id]));
    expect(await stateOf(key)).toEqual({ ...calm, waiting: 2, running: 0, paused: true });
    expect(await flows.control(place(key), { paused: false })).toEqual({ kind: 'done' });
    expect((await key.places()).ready).toEqual([first.id, other.id].toSorted());
    await flows.control(place(key), { paused: true });
    await key.end(first);
    expect(await key.places()).toEqual({ ready: [other.id], waiting: [second.id] });
    await flows.control(place(key), { paused: false });
    await key.end(second);
    await key.end(other);
    await eventually(async () => expect(await key.records()).toEqual([]));
  });

  test('does not undo what another one says while the turns are given that follow', async () => {
    await using key = await openKey();
    const { flows } = key.gateway;
    await flows.control(place(key), { paused: true });
    const [first, second] = (await key.accept(2)) as [Call, Call];
    await eventually(async () => expect(await key.records()).toEqual(['flow']));
    await using look = await openManager(inject('natsUrl'));
    const filter = `calls.${key.queue}.wait.~.echo.${first.id}.*.*`;
    const slow = flowsBehind(key, async (message, publish) => {
      if (isReady(message)) {
        await look.manager.streams.purge(`CALLS_${key.queue}`, { filter });
        await flows.control(place(key), { paused: true });
      }
      return await publish(message);
    });
    expect(await slow.control(place(key), { paused: false })).toEqual({ kind: 'done' });
    expect(await stateOf(key)).toEqual({ ...calm, waiting: 1, running: 0, paused: true });
    expect(await key.places()).toEqual({ ready: [], waiting: [second.id] });
  });

  test('pins the limit of a key, which outranks all others, also while it has no calls', async () => {
    await using key = await openKey({ parallelism: 2 });
    const { flows } = key.gateway;
    await flows.control(place(key), { pin: { parallelism: 3 } });
    const calls = await key.accept(5, { flow: { key: 'order', parallelism: 9 } });
    await eventually(async () => expect((await key.places()).ready).toHaveLength(3));
    expect(await stateOf(key)).toEqual({ ...calm, waiting: 2, running: 3, parallelism: 3, pinned: true });
    await flows.control(place(key), { pin: { parallelism: 4 } });
    expect((await key.places()).ready).toHaveLength(4);
    for (const call of calls) {
      await key.end(call);
    }
    expect(await stateOf(key)).toEqual({ ...calm, waiting: 0, running: 0, parallelism: 4, pinned: true });
    await flows.control(place(key), { pin: null });
    expect(await stateOf(key)).toEqual({ ...calm, waiting: 0, running: 0, parallelism: 2 });
    await eventually(async () => expect(await key.records()).toEqual([]));
  });

  test('lists the keys of all queues page by page', async () => {
    await using nats = await startServer();
    await using one = await openKey({ natsUrl: nats.url });
    await using two = await openKey({ natsUrl: nats.url });
    const keys = ['a', 'b', 'c', 'd', 'e'];
    for (const key of keys) {
      await one.accept(2, { flow: { key } });
      await two.accept(1, { flow: { key }, function: 'hash' });
    }
    const { inspector } = one.gateway.flows;
    const listed = async (limit: number, includes: (name: string) => boolean = () => true) => {
      const found: string[] = [];
      for (let page = await inspector.list({ includes }, limit); ; ) {
        expect(page.flows.length).toBeLessThanOrEqual(limit);
        found.push(
          ...page.flows.map(({ function: name, key, waiting, running }) => [name, key, waiting, running].join()),
        );
        if (page.next === undefined) {
          return found.toSorted();
        }
        page = await inspector.list({ includes }, limit, page.next);
      }
    };
    const ofEcho = keys.map((key) => `echo,${key},1,1`);
    await eventually(async () => expect(await listed(3, (name) => name === 'echo')).toEqual(ofEcho));
    await eventually(async () => expect(await listed(3)).toEqual([...ofEcho, ...keys.map((key) => `hash,${key},0,1`)]));
    expect(await listed(100)).toHaveLength(10);
  });
});

describe('a call without its turn', () => {
  test('joins the others of its key at their end when it is delivered', async () => {
    await using key = await openKey();
    const [first] = (await key.accept(1)) as [Call];
    const late = buildCall(key.queue, { id: 'late', flow: { key: 'order' }, notBefore: Date.now() - 1 });
    await key.gateway.queue.accept(late, { unique: false });
    const filter = `calls.${key.queue}.ready.~.echo.late.*.*`;
    await using look = await openManager(inject('natsUrl'));
    const read = () =>
      look.manager.streams.getMessage(`CALLS_${key.queue}`, { last_by_subj: filter }).catch(() => null);
    await eventually(async () => expect(await read()).not.toBeNull());
    const delivered = (await read())?.seq ?? 0;
    expect(await key.gateway.flows.park(late, delivered)).toMatchObject({ kind: 'stored' });
    // Its worker dies before the ack, and another one gets it.
    expect(await key.gateway.flows.park(late, delivered)).toMatchObject({ kind: 'refused', reason: 'conflict' });
    await look.manager.streams.purge(`CALLS_${key.queue}`, { filter });
    await eventually(async () => expect(await key.places()).toEqual({ ready: [first.id], waiting: ['late'] }));
  });
});

describe('what a crash leaves', () => {
  test('a call whose gateway dies after it has stored it gets its turn from a worker', async () => {
    await using nats = await startServer(); // a sweeper looks at all queues
    await using key = await openKey({ natsUrl: nats.url });
    const { broker, topology, publisher } = key.gateway;
    const dying = new CallQueue({ broker, topology, publisher, register: new FunctionRegister() });
    const call = buildCall(key.queue, { flow: { key: 'order' } });
    const before = Date.now();
    expect(await dying.accept(call, { unique: false })).toMatchObject({ kind: 'stored' });
    const { sweeper } = key.gateway.flows;
    expect(await sweeper.sweepNotices(before)).toBe(0);
    expect(await key.places()).toEqual({ ready: [], waiting: [call.id] });
    expect(await sweeper.sweepNotices(Date.now() + 10_000)).toBe(1);
    expect(await key.places()).toEqual({ ready: [call.id], waiting: [] });
    expect(await key.records()).toEqual(['flow']);
    expect(await sweeper.sweepNotices(Date.now() + 10_000)).toBe(0);
  });

  test('a key whose call is gone goes on', async () => {
    await using nats = await startServer(); // a sweeper looks at all queues
    await using key = await openKey({ natsUrl: nats.url });
    const before = Date.now();
    const [first, second] = (await key.accept(2)) as [Call, Call];
    await eventually(async () => expect(await key.records()).toEqual(['flow']));
    await using look = await openManager(nats.url);
    await look.manager.streams.purge(`CALLS_${key.queue}`, { filter: `calls.${key.queue}.*.~.echo.${first.id}.*.*` });
    const { sweeper } = key.gateway.flows;
    const later = Date.now() + 60_000;
    expect(await sweeper.sweepStates(before)).toBe(0);
    // It may be on its way from its schedule into its queue at the first look.
    expect(await sweeper.sweepStates(later)).toBe(0);
    expect(await sweeper.sweepStates(later)).toBe(1);
    expect(await key.places()).toEqual({ ready: [second.id], waiting: [] });
  });

  test('a key whose call is gone goes on, however many other keys there are', async () => {
    await using nats = await startServer(); // a sweeper looks at all queues
    await using key = await openKey({ natsUrl: nats.url });
    const [first, second] = (await key.accept(2)) as [Call, Call];
    await eventually(async () => expect(await key.records()).toEqual(['flow']));
    // More than are looked at in a round, and all in the queue's order behind that of the key.
    const publishing = Array.from({ length: 4_100 }, (_, n) => {
      const headers = new MessageHeaders();
      const of = { v: 1, function: 'echo', key: `${n}`, running: [], cursor: 0, paused: true };
      headers.set('Asyncfn-Flow', JSON.stringify(of));
      const subject = `flows.${key.queue}.flow.${flowIdOf({ function: 'echo', key: `${n}` })}`;
      return key.gateway.publisher.publish({ subject, headers, body: new Uint8Array() });
    });
    await Promise.all(publishing);
    await using look = await openManager(nats.url);
    await look.manager.streams.purge(`CALLS_${key.queue}`, { filter: `calls.${key.queue}.*.~.echo.${first.id}.*.*` });
    const later = Date.now() + 60_000;
    const { sweeper } = key.gateway.flows;
    expect([await sweeper.sweepStates(later), await sweeper.sweepStates(later)]).toEqual([0, 1]);
    expect(await key.places()).toEqual({ ready: [second.id], waiting: [] });
  });

  test('a turn that a process has stored is finished by the next one, if it dies before the call is ready', async () => {
    await using key = await openKey();
    const [first, second, third] = (await key.accept(3)) as [Call, Call, Call];
    await eventually(async () => expect(await key.records()).toEqual(['flow']));
    const dying = flowsBehind(key, async (message, publish) =>
      isReady(message) ? refused('unavailable', 'dead') : await publish(message),
    );
    expect(await dying.ended(first)).toMatchObject({ kind: 'refused', reason: 'unavailable' });
    expect((await key.places()).ready).toEqual([first.id]);
    await key.end(first);
    expect(await key.places()).toEqual({ ready: [second.id], waiting: [third.id] });
    await key.end(second);
    expect(await key.places()).toEqual({ ready: [third.id], waiting: [] });
  });

  test('a turn that an operator has given, and that nobody repeats, is finished by a worker', async () => {
    await using nats = await startServer(); // a sweeper looks at all queues
    await using key = await openKey({ natsUrl: nats.url });
    const place = flowPlaceIn(key.queue, { function: 'echo', key: 'order' });
    await key.gateway.flows.control(place, { paused: true });
    const [first] = (await key.accept(1)) as [Call];
    await eventually(async () => expect(await key.records()).toEqual(['flow']));
    const dying = flowsBehind(key, async (message, publish) =>
      isReady(message) ? refused('unavailable', 'dead') : await publish(message),
    );
    expect(await dying.control(place, { paused: false })).toMatchObject({ reason: 'unavailable' });
    expect(await key.places()).toEqual({ ready: [], waiting: [first.id] });
    const { sweeper } = key.gateway.flows;
    expect(await sweeper.sweepStates(Date.now() + 60_000)).toBe(1);
    expect(await key.places()).toEqual({ ready: [first.id], waiting: [] });
    expect(await sweeper.sweepStates(Date.now() + 60_000)).toBe(0);
  });

  test('a key that an operator resumes is not forgotten before those that wait are looked for once more', async () => {
    await using nats = await startServer(); // a sweeper looks at all queues
    await using key = await openKey({ natsUrl: nats.url });
    const place = flowPlaceIn(key.queue, { function: 'echo', key: 'order' });
    await key.gateway.flows.control(place, { paused: true });
    await new Promise<void>((written) => {
      // A call comes before the state is stored, and the process dies after that.
      const dying = flowsBehind(key, async (message, publish) => {
        await key.accept(1);
        await eventually(async () => expect(await key.records()).toEqual(['flow']));
        await publish(message);
        written();
        return await new Promise<never>(() => {});
      });
      void dying.control(place, { paused: false });
    });
    await using look = await openManager(nats.url);
    const query = { last_by_subj: `flows.${key.queue}.flow.*` };
    const state = await look.manager.streams.getMessage(`CALLS_${key.queue}`, query);
    expect(state?.header.get('Nats-TTL')).toBe('');
    expect(await key.gateway.flows.sweeper.sweepStates(Date.now() + 60_000)).toBe(1);
    expect((await key.places()).ready).toHaveLength(1);
  });

  test('a state is removed if the calls have left that were seen to wait when it was stored', async () => {
    await using nats = await startServer(); // a sweeper looks at all queues
    await using key = await openKey({ natsUrl: nats.url });
    const { broker, topology, publisher, flows } = key.gateway;
    const dying = new CallQueue({ broker, topology, publisher, register: new FunctionRegister() });
    const call = buildCall(key.queue, { flow: { key: 'order' } });
    expect(await dying.accept(call, { unique: false })).toMatchObject({ kind: 'stored' });
    // A cancel removes the call first, and then its place.
    await using look = await openManager(nats.url);
    await look.manager.streams.purge(`CALLS_${key.queue}`, { filter: `calls.${key.queue}.wait.>` });
    expect(await flows.ended(buildCall(key.queue, { flow: { key: 'order' } }))).toEqual({ kind: 'done' });
    await flows.sweeper.sweepStates(Date.now() + 60_000);
    await eventually(async () => expect(await key.records()).toEqual(['notice']));
  });

  test('a call that is removed while it gets its turn gives it back', async () => {
    await using key = await openKey();
    const [first, second, third] = (await key.accept(3)) as [Call, Call, Call];
    await eventually(async () => expect(await key.records()).toEqual(['flow']));
    await using look = await openManager(inject('natsUrl'));
    const filter = `calls.${key.queue}.wait.~.echo.${second.id}.*.*`;
    const flows = flowsBehind(key, async (message, publish) => {
      await look.manager.streams.purge(`CALLS_${key.queue}`, { filter });
      return await publish(message);
    });
    await look.manager.streams.purge(`CALLS_${key.queue}`, { filter: `calls.${key.queue}.ready.>` });
    expect(await flows.ended(first)).toEqual({ kind: 'done' });
    expect(await key.places()).toEqual({ ready: [third.id], waiting: [] });
  });

  test('a copy that waits is removed, and not run again', async () => {
    await using key = await openKey();
    const [first] = (await key.accept(1)) as [Call];
    await eventually(async () => expect(await key.records()).toEqual(['flow']));
    const [again, entry] = toFlowGroup(first, toCallMessage(first, false)) as [Outgoing, Outgoing];
    // As if the process that gave the turn had died before it removed the copy.
    const state = `flows.${key.queue}.flow.${flowIdOf({ function: 'echo', key: 'order' })}`;
    await using look = await openManager(inject('natsUrl'));
    await key.gateway.publisher.publish(again);
    const copy = await key.gateway.publisher.publish(entry);
    const stored = await look.manager.streams.getMessage(`CALLS_${key.queue}`, { last_by_subj: state });
    const record = JSON.parse(stored?.header.get('Asyncfn-Flow') ?? '{}') as object;
    const headers = new MessageHeaders();
    headers.set('Asyncfn-Flow', JSON.stringify({ ...record, cursor: copy.kind === 'stored' ? copy.sequence : 0 }));
    headers.set('Nats-Rollup', 'sub');
    await key.gateway.publisher.publish({ subject: state, headers, body: new Uint8Array() });
    await key.end(first);
    expect(await key.places()).toEqual({ ready: [], waiting: [] });
    await eventually(async () => expect(await key.records()).toEqual([]));
  });

  test('a copy that waits is removed after its call has had its turn, whoever could not remove it then', async () => {
    await using key = await openKey();
    const [first, second] = (await key.accept(2)) as [Call, Call];
    await eventually(async () => expect(await key.places()).toEqual({ ready: [first.id], waiting: [second.id] }));
    const { topology, publisher, broker, logger } = key.gateway;
    const broken = Object.create(topology.manager.streams, {
      purge: { value: () => Promise.reject(new Error('timeout')) },
    });
    const manager = Object.create(topology.manager, { streams: { value: broken } });
    const dying = new Flows({
      topology: { manager, hasLane: () => true, ensureFunction: async () => {}, listQueues: async () => [] },
      ...{ publisher, logger, lookup: () => undefined, earliest: broker.clock.earliest },
    });
    await expect(dying.ended(first)).rejects.toThrow('cannot be removed');
    await key.end(first);
    await key.end(second);
    expect(await key.places()).toEqual({ ready: [], waiting: [] });
    await eventually(async () => expect(await key.records()).toEqual([]));
  });

  test('a message that cannot be read as a call does not stop its key', async () => {
    await using key = await openKey();
    const id = flowIdOf({ function: 'echo', key: 'order' });
    const subject = `calls.${key.queue}.wait.~.echo.damaged.~.1`;
    const headers = new MessageHeaders();
    headers.set('Asyncfn-Call', 'damaged');
    const body = new Uint8Array();
    await key.gateway.publisher.publish({ subject, headers, body });
    const entry = `flows.${key.queue}.turn.${id}.damaged.~.1`;
    await key.gateway.publisher.publish({ subject: entry, headers: new MessageHeaders(), body });
    const [call] = (await key.accept(1)) as [Call];
    await eventually(async () => expect((await key.places()).ready).toEqual([call.id, 'damaged'].toSorted()));
  });
});
