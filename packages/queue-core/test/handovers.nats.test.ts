import { eventually } from '@asyncfn/testkit';
import { describe, expect, inject, test } from 'vitest';
import { type CallIdentity, createCallId, emptyBody, identityTokens } from '../src/index.ts';
import { Handovers, Publisher } from '../src/jetstream/index.ts';
import { MessageHeaders } from '../src/jetstream/messages/index.ts';
import type { BegunDelivery } from '../src/records/index.ts';
import { startServer } from './connected.ts';
import { startWorkerSide } from './harness.ts';

function createIdentity(): CallIdentity {
  return { callId: createCallId(), startTime: '1700000000000000000' };
}

/** The note of a worker that begins the third message of a stream. */
function begunBy(worker: string): BegunDelivery {
  return { v: 1, sequence: 3, worker, startedAt: 1_000, lost: [] };
}

test('the hand-overs of a call are counted, those of another are not', async () => {
  await using worker = await startWorkerSide(inject('natsUrl'));
  const handovers = new Handovers(new Publisher(worker.broker), worker.topology);
  const [call, other] = [createIdentity(), createIdentity()];
  expect(await handovers.count(call)).toBe(0);
  await Promise.all([call, call, other].map((each) => handovers.note(each)));
  expect(await handovers.count(call)).toBe(2);
  expect(await handovers.count(other)).toBe(1);
});

test('deliveries that began and were not handed back are counted, and the first one needs no note', async () => {
  await using worker = await startWorkerSide(inject('natsUrl'));
  const handovers = new Handovers(new Publisher(worker.broker), worker.topology);
  const call = createIdentity();
  expect(await handovers.countUnfinished(call)).toBe(1);
  await Promise.all([call, call, createIdentity()].map((each) => handovers.noteBegin(each, begunBy('worker-1:17'))));
  expect(await handovers.countUnfinished(call)).toBe(3);
  await handovers.note(call);
  expect(await handovers.countUnfinished(call)).toBe(2);
  expect(await handovers.count(call)).toBe(1);
});

describe('an attempt is lost', () => {
  const lost = { attempt: 1, verdict: 'lost' };

  /** A delivery of the third message of a stream, stored when the test began. */
  function deliver(call: CallIdentity, deliveries: number, storedAtMs = Date.now() - 60_000) {
    const info = { stream: 'CALLS_q', consumer: 'f', deliveries, streamSequence: 3, storedAtMs, pending: 0 };
    return { ...call, info };
  }

  test('if its delivery was not handed back; the worker of the first one is not known', async () => {
    await using worker = await startWorkerSide(inject('natsUrl'));
    const handovers = new Handovers(new Publisher(worker.broker), worker.topology);
    const [first, handedBack] = [createIdentity(), createIdentity()];
    expect(await handovers.findLost(deliver(first, 1), 1)).toEqual([]);
    const delivery = deliver(first, 2);
    expect(await handovers.findLost(delivery, 1)).toEqual([{ ...lost, startedAt: delivery.info.storedAtMs }]);
    await handovers.note(handedBack);
    expect(await handovers.findLost(deliver(handedBack, 2), 1)).toEqual([]);
    // That was the hand-over of an earlier message of the call.
    expect(await handovers.findLost(deliver(handedBack, 2, Date.now() + 60_000), 2)).toMatchObject([{ attempt: 2 }]);
  });

  test('with the worker that has noted it, and those that were lost before', async () => {
    await using worker = await startWorkerSide(inject('natsUrl'));
    const handovers = new Handovers(new Publisher(worker.broker), worker.topology);
    const call = createIdentity();
    const before = await handovers.findLost(deliver(call, 2), 1);
    await handovers.noteBegin(call, { ...begunBy('worker-2:18'), lost: before });
    const second = { ...lost, startedAt: 1_000, worker: 'worker-2:18' };
    expect(await handovers.findLost(deliver(call, 3), 1)).toEqual([...before, second]);
    await handovers.note(call);
    expect(await handovers.findLost(deliver(call, 4), 1)).toEqual(before);
  });

  test('unless the hand-over was of another message of the call', async () => {
    await using worker = await startWorkerSide(inject('natsUrl'));
    const handovers = new Handovers(new Publisher(worker.broker), worker.topology);
    const call = createIdentity();
    await handovers.noteBegin(call, { ...begunBy('worker-2:18'), sequence: 2 });
    expect(await handovers.findLost(deliver(call, 1), 2)).toEqual([]);
    const delivery = deliver(call, 2);
    expect(await handovers.findLost(delivery, 2)).toEqual([
      { ...lost, attempt: 2, startedAt: delivery.info.storedAtMs },
    ]);
  });

  test('as far as the note of a worker of an earlier version tells', async () => {
    await using worker = await startWorkerSide(inject('natsUrl'));
    const publisher = new Publisher(worker.broker);
    const handovers = new Handovers(publisher, worker.topology);
    const call = createIdentity();
    const subject = `handovers.${identityTokens(call)}.begun`;
    await publisher.publish({ subject, headers: new MessageHeaders(), body: emptyBody });
    const [found, ...more] = await handovers.findLost(deliver(call, 3), 1);
    expect([found, more]).toEqual([{ ...lost, startedAt: expect.any(Number) }, []]);
    expect(Date.now() - found!.startedAt).toBeLessThan(30_000);
  });
});

test('a hand-over that the broker does not store is remembered by the worker that made it', async () => {
  await using server = await startServer();
  await using worker = await startWorkerSide(server.url);
  const handovers = new Handovers(new Publisher(worker.broker), worker.topology);
  const call = createIdentity();
  server.signal('SIGKILL');
  await eventually(() => !worker.broker.connected);
  await handovers.note(call);
  await expect(handovers.count(call)).rejects.toMatchObject({ code: 'broker' });
  await server.restart();
  await eventually(() => worker.topology.ready);
  expect(await handovers.count(call)).toBe(1);
});

test('an id that could break out of its subject is not noted (P7)', async () => {
  await using worker = await startWorkerSide(inject('natsUrl'));
  const handovers = new Handovers(new Publisher(worker.broker), worker.topology);
  for (const callId of ['', '*', '>', 'a.b', 'a b']) {
    const call = { ...createIdentity(), callId };
    await expect(handovers.note(call)).rejects.toThrow(TypeError);
    await expect(handovers.count(call)).rejects.toThrow(TypeError);
  }
});
