import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { type Call, createCallId, emptyBody, type RefusalReason, refused } from '@asyncfn/queue-core';
import { BodyStore, Broker, Publisher, QueueTopology } from '@asyncfn/queue-core/jetstream';
import { eventually, freePort } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { LargeBodies } from '../src/bodies/large-bodies.ts';
import type { LargeCall } from '../src/enqueue/index.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
const onFatal = (): void => undefined;
const share = { arrived: () => true, left: () => undefined, complete: () => undefined, release: () => undefined };

/** The intake of a gateway, at a server of its own. */
async function open() {
  const server = await startNatsServer({ bin: inject('natsServerBin'), port: await freePort() });
  const broker = new Broker({ servers: [server.url], name: 'test', logger: silent, onFatal });
  const options = { replicas: 1, ackWaitMs: 30_000, ownsLanes: false, logger: silent, onFatal };
  const topology = new QueueTopology(broker, { ...options, queues: () => ['default'] });
  const bodies = new BodyStore({ broker, topology, publisher: new Publisher(broker) });
  broker.start();
  await eventually(() => topology.ready);
  const large = new LargeBodies({
    bodies,
    room: { admit: async () => ({ store: () => true, end: () => undefined }) },
    hasEnded: async () => false,
    budget: { open: () => share },
    maxBytes: 10_000_000,
    inlineBytes: () => 100_000,
    renewMs: 20,
    logger: silent as never,
  });
  return {
    large,
    bodies,
    /** Where the record of the one upload is. */
    recordSequence: async () =>
      (await topology.manager.streams.getMessage('OBJ_BODIES', { last_by_subj: '$O.BODIES.M.*' }))?.seq ?? 0,
    async [Symbol.asyncDispose]() {
      await broker.stop();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A call with a body that its client sends, and how it is stored. */
function largeCall(store: LargeCall['store'], first: readonly Buffer[] = []) {
  const request = Object.assign(new PassThrough(), { headers: {} });
  const id = createCallId();
  const bare = { id, function: 'fn', queue: 'default', path: '', query: '', headers: [], retry: 0, startTime: '1' };
  const large: LargeCall = {
    caller: undefined,
    first,
    fingerprint: undefined,
    onAdmitted: () => undefined,
    toCall: () => ({ ...bare, body: emptyBody }),
    store,
  };
  return { id, request, accept: (bodies: LargeBodies) => bodies.accept(request as unknown as IncomingMessage, large) };
}

test('an upload whose client pauses goes on for the sweepers, and is whole in the end', async () => {
  await using gateway = await open();
  const stored: Call[] = [];
  const store: LargeCall['store'] = async (call) => {
    stored.push(call);
    return { kind: 'stored', sequence: 1, duplicate: false };
  };
  const { id, request, accept } = largeCall(store, [Buffer.alloc(200_000, 'a')]);
  const accepted = accept(gateway.large);
  const before = await eventually(gateway.recordSequence);
  await eventually(async () => (await gateway.recordSequence()) > before);
  request.end(Buffer.alloc(100_000, 'b'));
  expect(await accepted).toMatchObject({ kind: 'done', result: { kind: 'stored' } });
  expect(stored).toMatchObject([{ id, bodyObject: { length: 300_000 } }]);
});

test('the body of a call that may arrive late is left to the sweepers', async () => {
  await using gateway = await open();
  const upload = async (reason: RefusalReason) => {
    const { request, accept } = largeCall(async () => refused(reason, 'for a test'));
    request.end(Buffer.alloc(200_000, 'a'));
    const accepted = await accept(gateway.large);
    if (accepted.kind !== 'done' || accepted.call.bodyObject === undefined) {
      throw new Error('the body is not stored');
    }
    return accepted.call.bodyObject;
  };
  const unknown = await Promise.all((['timeout', 'unavailable', 'undecided'] as const).map(upload));
  const unneeded = await upload('conflict');
  await eventually(async () => !(await gateway.bodies.has(unneeded)));
  expect(await Promise.all(unknown.map((object) => gateway.bodies.has(object)))).toEqual([true, true, true]);
});
