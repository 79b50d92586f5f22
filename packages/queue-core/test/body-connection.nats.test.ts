import { eventually, freePort } from '@asyncfn/testkit';
import { expect, onTestFinished, test } from 'vitest';
import type { BodyObject } from '../src/index.ts';
import { BodyConnection, BodyStore, type BodyUpload } from '../src/jetstream/index.ts';
import { collect, largeBody, openBodies } from './body-fixture.ts';
import { RecordingLogger } from './connected.ts';
import { buildCall } from './harness.ts';

/** A store whose chunks take a connection of their own to `servers`. Default: the server of everything else. */
async function open(servers?: readonly string[]) {
  const { broker, publisher, topology, server } = await openBodies();
  const logger = new RecordingLogger();
  const address = { servers: servers ?? [server.url], name: 'test' };
  const connection = new BodyConnection({ broker, publisher }, { ...address, logger, onFatal: () => undefined });
  onTestFinished(() => connection.stop());
  const bodies = new BodyStore({ broker, publisher, topology, connection });
  return { broker, publisher, bodies, connection, logger };
}

async function write(bodies: BodyStore, pieces: readonly Uint8Array[]): Promise<BodyObject> {
  const upload = (await bodies.upload()) as BodyUpload;
  for (const piece of pieces) {
    await upload.write(piece);
  }
  const result = await upload.finish(buildCall('default'));
  expect(result.kind).toBe('stored');
  return (result as { object: BodyObject }).object;
}

test('chunks take a connection of their own, in both directions, which the first of them opens', async () => {
  const { broker, publisher, bodies, connection, logger } = await open();
  expect(logger.lines).toEqual([]);
  await eventually(() => connection.publisher !== publisher);
  expect(logger.lines).toMatchObject([{ message: 'NATS connected', fields: { connection: 'bodies' } }]);
  const object = await write(bodies, [largeBody]);
  expect((await collect(bodies.read(object))).equals(largeBody)).toBe(true);
  const [main, own] = [broker.connection?.stats(), connection.broker.connection?.stats()];
  expect(own?.outBytes).toBeGreaterThan(largeBody.length);
  expect(own?.inBytes).toBeGreaterThan(largeBody.length);
  expect(main?.outBytes).toBeLessThan(largeBody.length / 2);
  expect(main?.inBytes).toBeLessThan(largeBody.length / 2);
});

test('an upload stays on the connection that it has begun with, so that its chunks keep their order', async () => {
  const { publisher, bodies, connection } = await open();
  const upload = (await bodies.upload()) as BodyUpload; // by the main connection, as the other one is only being made
  await upload.write(largeBody.subarray(0, 700_000));
  await eventually(() => connection.publisher !== publisher);
  const sent = connection.broker.connection?.stats().outBytes ?? 0;
  await upload.write(largeBody.subarray(700_000));
  const result = await upload.finish(buildCall('default'));
  expect(connection.broker.connection?.stats().outBytes ?? 0).toBeLessThan(sent + 100_000);
  const { object } = result as { object: BodyObject };
  expect((await collect(bodies.read(object))).equals(largeBody)).toBe(true);
});

test('without that connection, chunks take the one of everything else', async () => {
  const { broker, publisher, bodies, connection } = await open([`nats://127.0.0.1:${await freePort()}`]);
  const object = await write(bodies, [largeBody]);
  expect((await collect(bodies.read(object))).equals(largeBody)).toBe(true);
  expect([connection.publisher === publisher, connection.broker === broker]).toEqual([true, true]);
});
