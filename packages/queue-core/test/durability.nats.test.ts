import { startNatsCluster } from '@asyncfn/nats-server';
import { eventually, freePort } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { FunctionRegister } from '../src/functions/index.ts';
import { CallQueue, createGroupCommit, DurabilityWatch, Publisher, QueueTopology } from '../src/jetstream/index.ts';
import type { DurabilityOptions } from '../src/jetstream/intake/durability-watch.ts';
import { createBroker, type RecordingLogger, startServer, uniqueQueue } from './connected.ts';
import { buildCall, functionConfig } from './harness.ts';

// Servers of their own: the level is that of the weakest stream, and other tests make streams in memory.

/** The set-up in deploy/: every server tells our account its settings. */
const tellingConfig = `
accounts {
  SYS: { exports: [{ service: "$SYS.REQ.SERVER.PING.JSZ", response: stream }] }
  APP: {
    jetstream: enabled
    users: [{ user: asyncfn, password: asyncfn }]
    imports: [{ service: { account: SYS, subject: "$SYS.REQ.SERVER.PING.JSZ" } }]
  }
}
system_account: SYS
no_auth_user: asyncfn
`;

interface Watching extends AsyncDisposable {
  readonly watch: DurabilityWatch;
  readonly queue: CallQueue;
  readonly logger: RecordingLogger;
  readonly name: string;
  /** Whether messages are stored in groups; undefined while that is not decided. */
  readonly grouped: boolean | undefined;
}

async function watching(
  url: string,
  { domain, ...options }: Partial<DurabilityOptions> & { readonly domain?: string } = {},
  replicas = 1,
  name = uniqueQueue(),
): Promise<Watching> {
  const { broker, logger, fatal } = createBroker(url, { servers: url.split(','), domain });
  const topology = new QueueTopology(broker, {
    replicas,
    ackWaitMs: 30_000,
    ownsLanes: false,
    queues: () => [name],
    logger,
    onFatal: (error) => void fatal.push(error),
  });
  const watch = new DurabilityWatch(broker, topology, { declaredSyncAlways: false, logger, ...options });
  const publisher = new Publisher(broker);
  const { declaredSyncAlways = false } = options;
  createGroupCommit({ mode: 'auto', declaredSyncAlways, broker, topology, publisher, logger });
  const config = functionConfig('echo', name);
  const register = new FunctionRegister({ functions: new Map([['echo', config]]), fallback: undefined });
  const queue = new CallQueue({ broker, topology, publisher, register, durability: watch });
  broker.start();
  await eventually(() => watch.current);
  return {
    watch,
    queue,
    logger,
    name,
    get grouped() {
      const decided = logger.lines.find(({ message }) => message === 'group commit decided');
      const fields: { readonly grouped?: boolean } | undefined = decided?.fields;
      return fields?.grouped;
    },
    async [Symbol.asyncDispose]() {
      watch.stop();
      await broker.stop();
    },
  };
}

test('one server is single, and does not tell when it syncs', async () => {
  await using server = await startServer();
  await using side = await watching(server.url);
  expect(side.watch.current).toEqual({ level: 'single', copies: 1, sync: 'unknown' });
});

test("the operator's setting counts if the server does not tell", async () => {
  await using server = await startServer();
  await using side = await watching(server.url, { declaredSyncAlways: true });
  expect(side.watch.current).toEqual({ level: 'single', copies: 1, sync: 'always' });
});

test("the server's answer counts more than the operator's setting", async () => {
  await using server = await startServer({ syncInterval: '10s', config: tellingConfig });
  await using side = await watching(server.url, { declaredSyncAlways: true });
  expect(side.watch.current).toEqual({ level: 'single', copies: 1, sync: 'interval' });
  expect(await eventually(() => side.grouped !== undefined && !side.grouped)).toBe(true);
  expect(side.logger.messages).toContain('NATS_SYNC says always, but a server says that it syncs at intervals');
});

test('behind a leaf node the servers of our domain count, and not the leaf node', async () => {
  const port = await freePort();
  const login = 'user: leaf, password: pw';
  await using hub = await startServer({
    domain: 'hub',
    syncInterval: 'always',
    config: `${tellingConfig} leafnodes { listen: "127.0.0.1:${port}", authorization { ${login}, account: APP } }`,
  });
  await using leaf = await startServer({
    domain: 'leaf',
    config: `${tellingConfig} leafnodes { remotes: [{ url: "nats://leaf:pw@127.0.0.1:${port}", account: APP }] }`,
  });
  await using atHub = await watching(hub.url, { domain: 'hub' });
  expect(atHub.watch.current).toMatchObject({ sync: 'always' });
  expect(await eventually(() => atHub.grouped)).toBe(true);
  await using atLeaf = await watching(leaf.url, { domain: 'hub' });
  expect(atLeaf.watch.current?.sync).not.toBe('interval');
});

test('below the required level no call is accepted, and the log says why', async () => {
  await using server = await startServer();
  await using side = await watching(server.url, { required: 'quorum' });
  expect(side.queue.shortfall).toEqual({ required: 'quorum', found: 'single' });
  expect(side.queue.available).toBe(false);
  expect(await side.queue.accept(buildCall(side.name), { unique: false })).toMatchObject({ reason: 'unavailable' });
  expect(side.logger.lines).toContainEqual({
    level: 'error',
    message: 'durability is below REQUIRE_DURABILITY: calls are refused',
    fields: { durability: 'single', copies: 1, sync: 'unknown', required: 'quorum' },
  });
});

test('three servers that sync every write are fsync-quorum, once every stream has its replicas', async () => {
  await using cluster = await startNatsCluster({
    bin: inject('natsServerBin'),
    syncInterval: 'always',
    config: tellingConfig,
  });
  const name = uniqueQueue();
  await using before = await watching(cluster.urls, {}, 1, name);
  expect(before.watch.current).toMatchObject({ level: 'single', sync: 'always' });

  // A process with a higher setting raises the streams that exist.
  await using after = await watching(cluster.urls, { required: 'fsync-quorum' }, 3, name);
  await eventually(() => after.watch.shortfall === undefined);
  expect(after.watch.current).toMatchObject({ level: 'fsync-quorum', sync: 'always' });
  // A stream that has just got its replicas may be electing its leader.
  await eventually(async () => (await after.queue.accept(buildCall(name), { unique: false })).kind === 'stored');
});
