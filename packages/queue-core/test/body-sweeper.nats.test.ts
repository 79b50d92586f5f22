import { eventually } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { bodyChunkSubject } from '../src/bodies/index.ts';
import { largeBody, openBodies } from './body-fixture.ts';
import { functionConfig } from './harness.ts';

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
