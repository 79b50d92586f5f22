import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { eventually } from '@asyncfn/testkit';
import { AckPolicy, DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { describe, expect, inject, test } from 'vitest';
import { QueueTopology } from '../src/jetstream/index.ts';
import { createBroker, startServer, type TestBroker, uniqueQueue } from './connected.ts';
import { functionConfig, openManager, startWorkerSide } from './harness.ts';

interface TopologyFixture extends TestBroker {
  readonly topology: QueueTopology;
}

/** A topology that has not been started, for servers that it may refuse. */
function createTopology(url: string, queue: string, ownsLanes = true): TopologyFixture {
  const test = createBroker(url);
  const topology = new QueueTopology(test.broker, {
    replicas: 1,
    ackWaitMs: 30_000,
    ownsLanes,
    queues: () => [queue],
    logger: test.logger,
    onFatal: (error) => void test.fatal.push(error),
  });
  return { ...test, topology };
}

/** A stream of the queue's name that another application has created. */
async function makeStream(url: string, queue: string, config: Partial<StreamConfig>): Promise<void> {
  await using look = await openManager(url);
  await look.manager.streams.add({
    name: `CALLS_${queue}`,
    subjects: [`calls.${queue}.ready.*.*.*`, `calls.${queue}.later.*.*.*`],
    storage: StorageType.Memory,
    retention: RetentionPolicy.Workqueue,
    ...config,
  });
}

describe('a queue', () => {
  test('has a stream that never drops messages', async () => {
    const queue = uniqueQueue();
    await using fixture = createTopology(inject('natsUrl'), queue);
    fixture.broker.start();
    await eventually(() => fixture.topology.ready);
    await using look = await openManager(inject('natsUrl'));
    expect((await look.manager.streams.info(`CALLS_${queue}`)).config).toMatchObject({
      subjects: [
        ...['*.*.*.*.*.*', 'key.*'].map((rest) => `calls.${queue}.${rest}`),
        ...['flow.*', 'notice.*', 'turn.*.*.*.*'].map((rest) => `flows.${queue}.${rest}`),
      ],
      storage: 'file',
      retention: 'workqueue',
      max_bytes: -1,
      max_msgs: -1,
      max_age: 0,
      allow_msg_schedules: true,
      allow_atomic: true,
      allow_direct: true,
    });
    expect(await fixture.topology.listQueues()).toContain(queue);
  });

  test('and its consumers may be set up by twelve processes at once', async () => {
    const queue = uniqueQueue();
    const sides = await Promise.all(
      Array.from({ length: 12 }, () => startWorkerSide(inject('natsUrl'), { queues: [queue] })),
    );
    const names = ['a', 'b', 'c.prod'];
    const ensure = (name: string) =>
      sides.map(({ topology }) => topology.ensureFunction(functionConfig(name, queue, 2)));
    await Promise.all(names.flatMap(ensure));
    const lanes = await sides[0]?.topology.listLanes(queue);
    expect(lanes?.map((lane) => lane.function).sort()).toEqual(names);
    expect(sides.flatMap(({ fatal }) => fatal)).toEqual([]);
    await Promise.all(sides.map((side) => side.broker.stop()));
  });

  test('that exists already is left as it is', async () => {
    const queue = uniqueQueue();
    await using first = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    await using second = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    for (const { topology, logger } of [first, second]) {
      await topology.ensureFunction(functionConfig('echo', queue));
      await topology.ensureFunction(functionConfig('echo', queue));
      expect(logger.messages).toEqual(['NATS connected']);
    }
  });

  test('with a limit that would throw calls away loses the limit', async () => {
    const queue = uniqueQueue();
    await makeStream(inject('natsUrl'), queue, {
      storage: StorageType.File,
      max_bytes: 1_000_000,
      max_age: 60_000_000_000,
      discard: DiscardPolicy.New,
    });
    await using fixture = createTopology(inject('natsUrl'), queue);
    fixture.broker.start();
    await eventually(() => fixture.topology.ready);
    await using look = await openManager(inject('natsUrl'));
    const { config } = await look.manager.streams.info(`CALLS_${queue}`);
    expect(config).toMatchObject({ max_bytes: -1, max_age: 0, discard: 'old', allow_msg_schedules: true });
    expect(fixture.logger.messages).toContain('stream settings changed');
  });

  test('whose stream cannot be changed into ours is refused, and every conflicting setting is named', async () => {
    const queue = uniqueQueue();
    await makeStream(inject('natsUrl'), queue, { retention: RetentionPolicy.Limits });
    await using fixture = createTopology(inject('natsUrl'), queue);
    fixture.broker.start();
    await eventually(() => fixture.fatal.length > 0);
    expect(fixture.fatal[0]).toMatchObject({ code: 'stream_mismatch' });
    expect(fixture.fatal[0]?.message).toContain(`CALLS_${queue} exists with other settings`);
    expect(fixture.fatal[0]?.message).toContain('retention is "limits" and must be "workqueue"');
    expect(fixture.fatal[0]?.message).toContain('storage is "memory" and must be "file"');
    expect(fixture.topology.ready).toBe(false);
  });

  test('whose subjects another stream has is retried until an operator has resolved that', async () => {
    const queue = uniqueQueue();
    await using look = await openManager(inject('natsUrl'));
    await look.manager.streams.add({ name: `other-${queue}`, subjects: [`calls.${queue}.>`] });
    await using fixture = createTopology(inject('natsUrl'), queue);
    fixture.broker.start();
    await eventually(() => fixture.logger.messages.includes('queue topology is not in place yet'));
    expect(fixture.topology.ready).toBe(false);
    await look.manager.streams.delete(`other-${queue}`);
    await eventually(() => fixture.topology.ready);
    expect(fixture.fatal).toEqual([]);
  });
});

describe('a consumer', () => {
  test('follows the concurrency of its function, up and down', async () => {
    const queue = uniqueQueue();
    await using worker = await startWorkerSide(inject('natsUrl'));
    await using look = await openManager(inject('natsUrl'));
    for (const [concurrency, limit] of [
      [5, 5],
      [10, 10],
      [5, 5],
      [undefined, -1],
    ] as const) {
      await worker.topology.ensureFunction(functionConfig('echo', queue, concurrency));
      const { config } = await look.manager.consumers.info(`CALLS_${queue}`, 'echo');
      expect(config.max_ack_pending).toBe(limit);
    }
  });

  test('takes over the lease time of the worker that starts last', async () => {
    const queue = uniqueQueue();
    await using look = await openManager(inject('natsUrl'));
    for (const ackWaitMs of [30_000, 4_000]) {
      await using worker = await startWorkerSide(inject('natsUrl'), { ackWaitMs });
      await worker.topology.ensureFunction(functionConfig('echo', queue));
      const { config } = await look.manager.consumers.info(`CALLS_${queue}`, 'echo');
      expect(config.ack_wait).toBe(ackWaitMs * 1_000_000);
    }
  });

  test('that an operator has deleted is created again once it is forgotten, with its stream if need be', async () => {
    const queue = uniqueQueue();
    await using worker = await startWorkerSide(inject('natsUrl'));
    await using look = await openManager(inject('natsUrl'));
    const config = functionConfig('echo', queue);
    await worker.topology.ensureFunction(config);
    await look.manager.streams.delete(`CALLS_${queue}`);
    worker.topology.forgetLane(queue, 'echo');
    await expect(worker.topology.ensureFunction(config)).rejects.toMatchObject({ code: 'broker' });
    await worker.topology.ensureFunction(config);
    expect(await worker.topology.listLanes(queue)).toMatchObject([{ function: 'echo', pending: 0, inFlight: 0 }]);
  });

  test('is listed with its backlog, whichever process created it, and is removed without its calls', async () => {
    const queue = uniqueQueue();
    await using worker = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    await using look = await openManager(inject('natsUrl'));
    await worker.topology.ensureFunction(functionConfig('echo.prod', queue));
    await look.manager.consumers.add(`CALLS_${queue}`, {
      durable_name: 'not+ours',
      filter_subject: `calls.${queue}.ready.x.x.>`,
      ack_policy: AckPolicy.Explicit,
    });
    await look.manager.jetstream().publish(`calls.${queue}.ready.prod.echo.c-1.~.1`, 'body');
    expect(await worker.topology.listLanes(queue)).toMatchObject([{ function: 'echo.prod', pending: 1, inFlight: 0 }]);
    await worker.topology.removeLane(queue, 'echo.prod');
    await worker.topology.removeLane(queue, 'echo.prod');
    expect(worker.topology.hasLane(queue, 'echo.prod')).toBe(false);
    expect(await worker.topology.listLanes(queue)).toEqual([]);
    expect((await look.manager.streams.info(`CALLS_${queue}`)).state.messages).toBe(1);
  });
});

describe('a server', () => {
  test('without JetStream is refused', async () => {
    await using server = await startServer({ jetstream: false });
    await using fixture = createTopology(server.url, 'q');
    fixture.broker.start();
    await eventually(() => fixture.fatal.length > 0);
    expect(fixture.fatal[0]).toMatchObject({
      code: 'jetstream_disabled',
      message: expect.stringContaining('start it with -js or a jetstream block'),
    });
  });

  test('that gives our account no JetStream is refused', async () => {
    const config = `
      accounts { WITHOUT: { users: [{ user: app, password: pw }] }, WITH: { jetstream: enabled, users: [{ user: b, password: pw }] } }
    `;
    await using server = await startServer({ config });
    const { broker, fatal, logger } = createBroker(server.url, { user: 'app', password: 'pw' });
    const onFatal = (error: (typeof fatal)[number]): void => void fatal.push(error);
    const options = { replicas: 1, ackWaitMs: 30_000, ownsLanes: true, queues: () => ['q'], logger, onFatal };
    const topology = new QueueTopology(broker, options);
    broker.start();
    await eventually(() => fatal.length > 0);
    expect(fatal.map(({ code }) => code)).toEqual(['jetstream_disabled']);
    expect(topology.ready).toBe(false);
    await broker.stop();
  });

  test.each(['2.9.10', '2.11.99', '1.0.0-beta'])('of version "%s" is refused as too old', async (version) => {
    await using fake = await startFakeServer(version);
    await using fixture = createTopology(fake.url, 'q');
    fixture.broker.start();
    await eventually(() => fixture.fatal.length > 0);
    expect(fixture.fatal[0]).toMatchObject({ code: 'server_too_old' });
    expect(fixture.fatal[0]?.message).toContain('asyncfn needs 2.12.0 or later');
  });
});

/** Sends the first line of a nats-server, and answers pings. */
async function startFakeServer(version: string): Promise<AsyncDisposable & { url: string }> {
  const info = { server_id: 'FAKE', version, proto: 1, headers: true, max_payload: 1_048_576, jetstream: true };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    socket.on('data', (chunk) => {
      if (chunk.includes('PING')) {
        socket.write('PONG\r\n');
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `nats://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await once(server.close(), 'close');
    },
  };
}

describe('a topology', () => {
  test('reports that it is ready on each connection, and not in between', async () => {
    await using server = await startServer();
    await using fixture = createTopology(server.url, 'q');
    let times = 0;
    fixture.topology.onReady(() => times++);
    expect(fixture.topology.ready).toBe(false);
    await expect(fixture.topology.ensureFunction(functionConfig('echo', 'q'))).rejects.toMatchObject({
      code: 'broker',
    });
    fixture.broker.start();
    await eventually(() => times === 1);
    await fixture.topology.ensureFunction(functionConfig('echo', 'q'));
    server.signal('SIGKILL');
    await eventually(() => !fixture.topology.ready);
    // What existed probably still exists, until it is checked again.
    expect([fixture.topology.usable, fixture.topology.hasLane('q', 'echo')]).toEqual([true, true]);
    await server.restart();
    await eventually(() => times === 2);
    expect(fixture.topology.ready).toBe(true);
    await fixture.topology.ensureFunction(functionConfig('echo', 'q'));
  });

  test('of a broker that comes back without its data is created again', async () => {
    const server = await startServer();
    await using fixture = createTopology(server.url, 'q');
    fixture.broker.start();
    await eventually(() => fixture.topology.ready);
    await server.stop();
    await eventually(() => !fixture.topology.ready);
    await using empty = await startServer({ port: server.port });
    await eventually(() => fixture.topology.ready);
    await using look = await openManager(empty.url);
    expect((await look.manager.streams.info('CALLS_q')).config.retention).toBe('workqueue');
  });
});
