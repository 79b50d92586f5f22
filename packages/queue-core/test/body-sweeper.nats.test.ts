import { eventually } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { bodyChunkSubject } from '../src/bodies/index.ts';
import { BodyStore, BodyUpload } from '../src/jetstream/index.ts';
import { largeBody, openBodies } from './body-fixture.ts';
import { buildCall, functionConfig } from './harness.ts';

const noBroker = { connection: undefined, connected: false, createInbox: () => '', apiPrefix: '' };

test('a sweep removes what nothing needs, and only that', async () => {
  const { bodies, sweeper, store, begin, queue, topology } = await openBodies();
  await topology.ensureFunction(functionConfig('echo', 'default'));
  const [needed, unused] = [await store(largeBody, { id: 'needed' }), await store(largeBody, { id: 'unused' })];
  await queue.accept(needed, { unique: false });
  const left = await begin();
  await left.write(largeBody);
  await eventually(async () =>
    expect((await sweeper.sweep()).removed + Number(!(await bodies.has(unused.bodyObject)))).toBeGreaterThan(0),
  );
  await eventually(async () => expect(await sweeper.sweep()).toEqual({ removed: 0, kept: 1 }));
  expect(await bodies.has(needed.bodyObject)).toBe(true);
  expect(await bodies.has(unused.bodyObject)).toBe(false);
  expect(await left.finish(needed)).toMatchObject({ kind: 'refused', reason: 'conflict' });
});

test('what is young is left alone, and so is an upload that goes on', async () => {
  const { sweeper, store, begin } = await openBodies({ graceMs: 60_000 });
  const call = await store(largeBody);
  const upload = await begin();
  expect(await sweeper.sweep()).toEqual({ removed: 0, kept: 0 });
  await upload.write(largeBody);
  expect(await upload.finish(call)).toMatchObject({ kind: 'stored' });
});

test('an upload that is renewed is stored as a whole, and a sweeper that has looked before removes nothing', async () => {
  const { bodies, store, begin, topology, stored } = await openBodies();
  const call = await store(largeBody);
  await bodies.discard(call.bodyObject);
  const upload = await begin();
  const { manager } = topology;
  const before = await manager.streams.getMessage('OBJ_BODIES', { last_by_subj: '$O.BODIES.M.*' });
  await upload.renew();
  await expect(manager.streams.deleteMessage('OBJ_BODIES', before!.seq, false)).rejects.toThrow();
  upload.keepAlive(1);
  for (let from = 0; from < largeBody.length; from += 100_000) {
    await upload.write(largeBody.subarray(from, from + 100_000));
    await upload.renew();
  }
  expect(await upload.finish(call)).toMatchObject({ kind: 'stored', object: { length: largeBody.length } });
  expect(await stored()).toBe(13);
});

test('an upload whose renewal was stored without an answer goes on, and one that was given up leaves nothing', async () => {
  const { publisher, topology, stored } = await openBodies();
  let isLost = false;
  const deaf = {
    publish: async (message: Parameters<typeof publisher.publish>[0]): ReturnType<typeof publisher.publish> => {
      const result = await publisher.publish(message);
      return isLost ? { kind: 'refused', reason: 'timeout', detail: 'lost' } : result;
    },
  };
  const [finished, aborted] = await Promise.all(
    [0, 1].map(() => new BodyStore({ broker: noBroker, publisher: deaf, topology }).upload()),
  );
  if (!(finished instanceof BodyUpload && aborted instanceof BodyUpload)) {
    throw new Error('they have to begin');
  }
  isLost = true;
  await Promise.all([finished.renew(), aborted.renew()]);
  isLost = false;
  await aborted.renew();
  await aborted.write(largeBody);
  await aborted.abort();
  await finished.write(largeBody);
  expect(await finished.finish(buildCall('default'))).toMatchObject({ kind: 'stored' });
  expect(await stored()).toBe(13);
});

test('an upload that was removed ends with its next renewal', async () => {
  const { begin, topology } = await openBodies();
  const upload = await begin();
  await topology.manager.streams.purge('OBJ_BODIES');
  await upload.renew();
  expect(upload.failure).toMatchObject({ reason: 'conflict' });
  expect(await upload.finish(buildCall('default'))).toMatchObject({ kind: 'refused', reason: 'conflict' });
});

test('chunks without a record are removed, and what is not ours is not', async () => {
  const { sweeper, store, topology, broker, stored } = await openBodies();
  const { bodyObject } = await store(largeBody);
  await topology.manager.streams.purge('OBJ_BODIES');
  broker.connection!.publish(bodyChunkSubject(bodyObject.id), largeBody.subarray(0, 1_000));
  broker.connection!.publish('$O.BODIES.C.someOtherNuid', 'data');
  await broker.connection!.flush();
  expect(await sweeper.sweep()).toEqual({ removed: 1, kept: 0 });
  expect(await stored()).toBe(1);
});
