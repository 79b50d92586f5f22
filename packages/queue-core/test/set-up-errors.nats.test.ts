import { type NatsServer, startNatsCluster } from '@asyncfn/nats-server';
import { eventually } from '@asyncfn/testkit';
import { describe, expect, inject, test } from 'vitest';
import { QueueTopology } from '../src/jetstream/index.ts';
import { createBroker, startServer, type TestBroker, uniqueQueue } from './connected.ts';

interface SetUp extends TestBroker {
  readonly topology: QueueTopology;
}

/** A process that begins to set up its streams. */
function beginSetUp(
  url: string,
  user: string | undefined,
  options: Partial<ConstructorParameters<typeof QueueTopology>[1]> = {},
): SetUp {
  const test = createBroker(url, user === undefined ? {} : { user, password: 'pw' });
  const topology = new QueueTopology(test.broker, {
    replicas: 1,
    ackWaitMs: 30_000,
    ownsLanes: true,
    queues: () => ['default'],
    logger: test.logger,
    onFatal: (error) => void test.fatal.push(error),
    ...options,
  });
  test.broker.start();
  return { ...test, topology };
}

async function fatalOf(setUp: SetUp) {
  await eventually(() => setUp.fatal.length > 0);
  await setUp.broker.stop();
  expect(setUp.topology.ready).toBe(false);
  return setUp.fatal.map(({ code, message }) => ({ code, message }));
}

/** Accounts of one server, each with a user of its name. */
function accounts(limits: Readonly<Record<string, string>>): string {
  const blocks = Object.entries(limits).map(
    ([name, jetstream]) => `${name} { jetstream ${jetstream}, users: [{ user: ${name}, password: pw }] }`,
  );
  return `accounts { ${blocks.join('\n')} }`;
}

describe('a start ends with one message', () => {
  test('if one server is to keep three replicas, and STREAM_REPLICAS is named', async () => {
    const queues = (): string[] => [uniqueQueue()];
    expect(await fatalOf(beginSetUp(inject('natsUrl'), undefined, { replicas: 3, queues }))).toEqual([
      { code: 'replicas', message: expect.stringMatching(/STREAM_REPLICAS above 1 needs a cluster/) },
    ]);
  });

  test('if the account requires max_bytes, and STREAM_MAX_BYTES is named', async () => {
    await using server = await startServer({ config: accounts({ app: '{ max_bytes_required: true }' }) });
    expect(await fatalOf(beginSetUp(server.url, 'app'))).toEqual([
      { code: 'account_limit', message: expect.stringMatching(/max bytes set: set STREAM_MAX_BYTES$/) },
    ]);
  });

  test('if the account may have no more streams', async () => {
    await using server = await startServer({ config: accounts({ app: '{ max_streams: 3 }' }) });
    expect(await fatalOf(beginSetUp(server.url, 'app'))).toEqual([
      { code: 'account_limit', message: expect.stringMatching(/asyncfn needs ten, and one for each queue$/) },
    ]);
  });

  test('if the user may not ask JetStream, or hear its answers', async () => {
    const user = (name: string, publish: string, subscribe: string): string =>
      `{ user: ${name}, password: pw, permissions: { publish: ${publish}, subscribe: ${subscribe} } }`;
    const users = [
      user('mute', '"calls.>"', '">"'),
      user('deaf', '">"', '"calls.>"'),
      user('reader', '"$JS.API.INFO"', '">"'),
    ];
    await using server = await startServer({
      config: `accounts { app { jetstream: enabled, users: [${users.join(', ')}] } }`,
    });
    const messages = await Promise.all(
      ['mute', 'deaf', 'reader'].map(async (name) => await fatalOf(beginSetUp(server.url, name))),
    );
    expect(messages.map(([error]) => error)).toEqual([
      {
        code: 'permission',
        message: expect.stringMatching(/Publish to "\$JS\.API\.INFO": give the user this permission/),
      },
      { code: 'permission', message: expect.stringMatching(/Subscription to "_INBOX\..*docs\/nats-permissions\.md$/) },
      { code: 'permission', message: expect.stringMatching(/Publish to "\$JS\.API\.STREAM\.\w+\./) },
    ]);
  });
});

describe('a process that has been at work', () => {
  test('waits if the limits have changed, and logs it once', async () => {
    const server = await startServer({ config: accounts({ app: 'enabled' }) });
    const setUp = beginSetUp(server.url, 'app');
    await eventually(() => setUp.topology.ready);
    await server.stop();
    const config = accounts({ app: '{ max_bytes_required: true }' });
    await using emptied = await startServer({ port: server.port, config });
    const told = () => setUp.logger.lines.filter(({ message }) => message === 'queue topology is not in place yet');
    await eventually(() => told().length >= 3);
    expect(told().map(({ fields }) => fields)).toMatchObject(told().map(() => ({ err: { code: 'account_limit' } })));
    expect(setUp.fatal).toEqual([]);
    await setUp.broker.stop();
    expect(emptied.port).toBe(server.port);
  });
});

/** Whether the leader of the servers counts another one as offline, or has never seen it. */
async function isMissed(servers: readonly NatsServer[]): Promise<boolean> {
  const reports = await Promise.all(
    servers.map(async ({ monitorUrl }) => (await (await fetch(`${monitorUrl}/jsz`)).json()) as ClusterReport),
  );
  return reports.some(({ meta_cluster: { leader, cluster_size: size, replicas = [] } }) => {
    return leader !== undefined && (size === servers.length || replicas.some(({ offline }) => offline === true));
  });
}

/** A part of https://docs.nats.io/running-a-nats-service/nats_admin/monitoring */
interface ClusterReport {
  readonly meta_cluster: {
    readonly leader?: string;
    readonly cluster_size: number;
    readonly replicas?: readonly { readonly offline?: boolean }[];
  };
}

test('a cluster that is not complete is waited for, and STREAM_REPLICAS is named', async () => {
  await using cluster = await startNatsCluster({ bin: inject('natsServerBin'), monitor: true });
  const [first, , third] = cluster.servers;
  third!.signal('SIGKILL');
  await third!.exited;
  // Until then the leader gives it streams, which is no error.
  await eventually(() => isMissed(cluster.servers.slice(0, 2)));
  const setUp = beginSetUp(first!.url, undefined, { replicas: 3 });
  await using _ = setUp.broker;
  const isTold = ({ fields }: { fields: object }): boolean =>
    /STREAM_REPLICAS/.test(JSON.stringify(fields) + String((fields as { err?: Error }).err));
  await eventually(() => setUp.logger.lines.some(isTold), { message: 'no line names it' });
  await third!.restart();
  await eventually(() => setUp.topology.ready);
  expect(setUp.fatal).toEqual([]);
});
