import { randomBytes } from 'node:crypto';
import { eventually } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { bodyChunkSubject } from '../src/bodies/index.ts';
import { emptyBody, keyOf } from '../src/index.ts';
import { CallStore } from '../src/jetstream/index.ts';
import { collect, largeBody, openBodies, sha256 } from './body-fixture.ts';
import { functionConfig } from './harness.ts';

const chunk = 128 * 1024;

test.each([1, chunk - 1, chunk, chunk + 1, 4 * chunk, 8 * chunk, 8 * chunk + 1])(
  'a body of %i bytes is read as it was stored',
  async (length) => {
    const { bodies, store } = await openBodies();
    const body = randomBytes(length);
    const { bodyObject } = await store(body);
    expect(bodyObject).toEqual({ id: expect.any(String), length, sha256: sha256(body) });
    expect((await collect(bodies.read(bodyObject))).equals(body)).toBe(true);
  },
);

test('pieces of any length make the same body, and a second digest sees it as well', async () => {
  const { createHash } = await import('node:crypto');
  const { bodies, begin } = await openBodies();
  const upload = await begin();
  const also = createHash('sha256').update('before');
  upload.also(also);
  for (let from = 0; from < largeBody.length; from += 77_777) {
    await upload.write(largeBody.subarray(from, from + 77_777));
  }
  const call = { id: 'c', function: 'echo', queue: 'default', path: '', query: '', headers: [], retry: 0 };
  const result = await upload.finish({ ...call, startTime: '1', body: emptyBody });
  expect(result).toMatchObject({ kind: 'stored', object: { length: largeBody.length, sha256: sha256(largeBody) } });
  const object = (result as Extract<typeof result, { kind: 'stored' }>).object;
  expect((await collect(bodies.read(object))).equals(largeBody)).toBe(true);
  expect(also.digest('base64url')).toBe(sha256(Buffer.concat([Buffer.from('before'), largeBody])));
});

test('a writer that is faster than the broker waits, and so keeps few chunks in memory', async () => {
  const { begin } = await openBodies();
  const upload = await begin();
  const waits = [];
  for (let number = 0; number < 2; number++) {
    waits.push(upload.write(randomBytes(chunk)));
  }
  expect(waits.map((wait) => wait !== undefined)).toEqual([false, true]);
  await upload.abort();
});

test('an upload that is given up leaves nothing', async () => {
  const { begin, stored } = await openBodies();
  const upload = await begin();
  await upload.write(largeBody);
  await upload.abort();
  expect(await stored()).toBe(0);
});

test('a body that lacks a chunk, or has another one, never comes as a whole', async () => {
  const { bodies, store, topology, connection } = await openBodies().then((all) => ({
    ...all,
    connection: all.broker.connection!,
  }));
  const { bodyObject } = await store(largeBody);
  const { manager } = topology;
  const last = await manager.streams.getMessage('OBJ_BODIES', { last_by_subj: bodyChunkSubject(bodyObject.id) });
  await manager.streams.deleteMessage('OBJ_BODIES', last!.seq);
  const received: Uint8Array[] = [];
  const readAll = async () => {
    received.length = 0;
    for await (const piece of bodies.read(bodyObject)) {
      received.push(piece);
    }
  };
  await expect(readAll()).rejects.toMatchObject({ code: 'body_missing' });
  connection.publish(bodyChunkSubject(bodyObject.id), Buffer.alloc(last!.data.length));
  await connection.flush();
  await eventually(() => expect(readAll()).rejects.toMatchObject({ code: 'body_corrupt' }));
  expect(Buffer.concat(received).length).toBe(largeBody.length - last!.data.length);
});

test('tools for the object store read a body by its id', async () => {
  const { store, topology } = await openBodies();
  const { bodyObject } = await store(largeBody);
  const record = await topology.manager.streams.getMessage('OBJ_BODIES', { last_by_subj: '$O.BODIES.M.*' });
  const info = JSON.parse(Buffer.from(record!.data).toString());
  expect(record!.subject).toBe(`$O.BODIES.M.${Buffer.from(bodyObject.id).toString('base64url')}`);
  expect(info).toMatchObject({
    name: bodyObject.id,
    bucket: 'BODIES',
    size: largeBody.length,
    chunks: 12,
    digest: `SHA-256=${Buffer.from(bodyObject.sha256, 'base64url').toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`,
  });
  expect(`$O.BODIES.C.${info.nuid}`).toBe(bodyChunkSubject(bodyObject.id));
});

test('a body stays while its call is queued, and goes with it', async () => {
  const { bodies, store, queue, topology, stored } = await openBodies();
  await topology.ensureFunction(functionConfig('echo', 'default'));
  const call = await store(largeBody, { startTime: '7' });
  expect(await queue.accept(call, { unique: false })).toMatchObject({ kind: 'stored' });
  expect(await bodies.removeUnused(call.bodyObject)).toBe('still needed');
  expect(await bodies.has(call.bodyObject)).toBe(true);
  await topology.manager.streams.purge('CALLS_default');
  expect(await bodies.removeUnused(call.bodyObject)).toBe('removed');
  expect(await stored()).toBe(0);
  expect(await bodies.keep(call.bodyObject)).toBe(false);
});

test('a body stays while a dead letter, or another queue than the first, has its call', async () => {
  const { bodies, store, queue, topology, publisher } = await openBodies();
  const call = await store(largeBody, { startTime: '7' });
  const { id: callId, function: name, startTime } = call;
  const letter = { v: 1 as const, kind: 'call' as const, callId, startTime, generation: 0, function: name };
  await new CallStore(publisher, topology).putDeadLetter(
    { ...letter, queue: 'default', reason: 'rejected', attempts: 1, createdAt: 1, endedAt: 2 },
    { header: 'x', value: '', body: emptyBody },
  );
  expect(await bodies.removeUnused(call.bodyObject)).toBe('still needed');
  await topology.ensureFunction(functionConfig('echo', 'other'));
  await queue.accept({ ...call, queue: 'other' }, { unique: false });
  await topology.manager.streams.purge('DEAD_LETTERS');
  expect(await bodies.removeUnused(call.bodyObject)).toBe('still needed');
  expect(keyOf(call).generation).toBe(0);
});

test('a reference that is stored while a body is being removed keeps it, or learns that it is gone', async () => {
  const { bodies, store, publisher, topology } = await openBodies();
  const call = await store(largeBody);
  // The remover stops after its mark, and goes on when the reference is stored.
  let isMarked = (): void => undefined;
  let goOn = (): void => undefined;
  const marked = new Promise<void>((resolve) => (isMarked = resolve));
  const going = new Promise<void>((resolve) => (goOn = resolve));
  const { BodyStore } = await import('../src/jetstream/index.ts');
  const slow = new BodyStore({
    broker: { connection: undefined, connected: false, createInbox: () => '', apiPrefix: '' },
    publisher,
    topology: {
      get manager() {
        return topology.manager;
      },
      listQueues: async () => {
        isMarked();
        await going;
        return [];
      },
    },
  });
  const removing = slow.removeUnused(call.bodyObject);
  await marked;
  expect(await bodies.keep(call.bodyObject)).toBe(true);
  goOn();
  expect(await removing).toBe('still needed');
  expect((await collect(bodies.read(call.bodyObject))).equals(largeBody)).toBe(true);
});
