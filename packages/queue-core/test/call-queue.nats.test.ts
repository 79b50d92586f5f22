import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { eventually } from '@asyncfn/testkit';
import { headers } from '@nats-io/transport-node';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { FunctionRegister } from '../src/functions/index.ts';
import { CallQueue } from '../src/jetstream/index.ts';
import { startServer, uniqueQueue } from './connected.ts';
import { buildCall, functionConfig, openManager, startGatewaySide, startWorkerSide } from './harness.ts';

describe('the first call of a function', () => {
  test('finds stream and consumer in place', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'), {
      functions: [functionConfig('resize.prod', queue, 7)],
    });
    expect(gateway.topology.hasLane(queue, 'resize.prod')).toBe(false);
    const call = buildCall(queue, { function: 'resize.prod' });
    expect(await gateway.queue.accept(call, { unique: false })).toMatchObject({ kind: 'stored', sequence: 1 });
    expect(gateway.topology.hasLane(queue, 'resize.prod')).toBe(true);
    await using look = await openManager(inject('natsUrl'));
    expect(await look.manager.consumers.info(`CALLS_${queue}`, 'resize@prod')).toMatchObject({
      num_pending: 1,
      config: { max_ack_pending: 7, filter_subject: `calls.${queue}.ready.prod.resize.*.*.*`, max_deliver: -1 },
    });
  });

  test('does not change a consumer that a worker has set up', async () => {
    const queue = uniqueQueue();
    await using worker = await startWorkerSide(inject('natsUrl'), { ackWaitMs: 5_000 });
    await worker.topology.ensureFunction(functionConfig('echo', queue, 3));
    await using gateway = await startGatewaySide(inject('natsUrl'), { ackWaitMs: 30_000 });
    expect(await gateway.queue.accept(buildCall(queue), { unique: false })).toMatchObject({ kind: 'stored' });
    await using look = await openManager(inject('natsUrl'));
    const { config } = await look.manager.consumers.info(`CALLS_${queue}`, 'echo');
    expect(config).toMatchObject({ max_ack_pending: 3, ack_wait: 5_000 * 1_000_000 });
  });

  test('may come a hundred times at once', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    const calls = Array.from({ length: 100 }, () => buildCall(queue));
    const results = await Promise.all(calls.map((call) => gateway.queue.accept(call, { unique: false })));
    expect(results.every(({ kind }) => kind === 'stored')).toBe(true);
  });
});

describe('a call id that must be unique', () => {
  test('is refused while a call of this id waits, of whatever function', async () => {
    const queue = uniqueQueue();
    const mine = `mine-${queue}`;
    await using gateway = await startGatewaySide(inject('natsUrl'));
    const first = buildCall(queue, { id: mine });
    expect(await gateway.queue.accept(first, { unique: true })).toMatchObject({ kind: 'stored' });
    for (const changes of [{}, { function: 'other' }, { function: 'echo.prod' }]) {
      const again = buildCall(queue, { id: mine, ...changes });
      expect(await gateway.queue.accept(again, { unique: true })).toMatchObject({
        kind: 'refused',
        reason: 'conflict',
      });
    }
    const other = buildCall(queue, { id: `other-${queue}` });
    expect(await gateway.queue.accept(other, { unique: true })).toMatchObject({ kind: 'stored' });
  });

  test('is refused while a call of this id waits for its time', async () => {
    const queue = uniqueQueue();
    const mine = `mine-${queue}`;
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await gateway.queue.accept(buildCall(queue), { unique: false });
    const subject = `calls.${queue}.later.~.echo.${mine}.~.1`;
    await gateway.publisher.publish({ subject, headers: headers(), body: new Uint8Array() });
    const result = await gateway.queue.accept(buildCall(queue, { id: mine }), { unique: true });
    expect(result).toMatchObject({ reason: 'conflict' });
  });

  test('is refused while a call of this id is in another queue', async () => {
    const [queue, another] = [uniqueQueue(), uniqueQueue()];
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await gateway.queue.accept(buildCall(another, { id: `mine-${queue}` }), { unique: false });
    const result = await gateway.queue.accept(buildCall(queue, { id: `mine-${queue}` }), { unique: true });
    expect(result).toMatchObject({ reason: 'conflict' });
  });

  test('is refused while the outcome of its call is kept', async () => {
    const queue = uniqueQueue();
    const mine = `mine-${queue}`;
    await using gateway = await startGatewaySide(inject('natsUrl'));
    const subject = `outcomes.${mine}.~.1.1`;
    await gateway.publisher.publish({ subject, headers: headers(), body: new Uint8Array() });
    const result = await gateway.queue.accept(buildCall(queue, { id: mine }), { unique: true });
    expect(result).toMatchObject({ reason: 'conflict' });
    await using look = await openManager(inject('natsUrl'));
    await look.manager.streams.purge('OUTCOMES', { filter: subject });
    expect(await gateway.queue.accept(buildCall(queue, { id: mine }), { unique: true })).toMatchObject({
      kind: 'stored',
    });
  });

  test('is looked up without reading the call, or the result, that has it', async () => {
    const queue = uniqueQueue();
    const [waits, ended] = [`waits-${queue}`, `ended-${queue}`];
    // A server of its own: the list of its streams is short.
    await using server = await startServer();
    await using gateway = await startGatewaySide(server.url);
    const large = Buffer.alloc(512 * 1024, 'x');
    await gateway.queue.accept(buildCall(queue, { id: waits, body: large }), { unique: true });
    const outcome = { subject: `outcomes.${ended}.~.1.1`, headers: headers(), body: large };
    expect(await gateway.publisher.publish(outcome)).toMatchObject({ kind: 'stored' });
    const read = (): number => gateway.broker.connection?.stats().inBytes ?? Number.NaN;
    const before = read();
    for (const id of [waits, ended]) {
      const result = await gateway.queue.accept(buildCall(queue, { id }), { unique: true });
      expect(result).toMatchObject({ reason: 'conflict' });
    }
    expect(read() - before).toBeLessThan(64 * 1024);
  });

  test('goes to one of two gateways that get it at once', async () => {
    const queue = uniqueQueue();
    const mine = `mine-${queue}`;
    await using one = await startGatewaySide(inject('natsUrl'));
    await using two = await startGatewaySide(inject('natsUrl'));
    const call = buildCall(queue, { id: mine });
    const results = await Promise.all([one, two].map((side) => side.queue.accept(call, { unique: true })));
    expect(results.map(({ kind }) => kind).sort()).toEqual(['refused', 'stored']);
  });

  test('is free again once the call has left the queue', async () => {
    const queue = uniqueQueue();
    const mine = `mine-${queue}`;
    await using gateway = await startGatewaySide(inject('natsUrl'), { publishTimeoutMs: 2_000 });
    await using worker = await startWorkerSide(inject('natsUrl'));
    await gateway.queue.accept(buildCall(queue, { id: mine }), { unique: true });
    worker.source.request({ queue, function: 'echo' }, 1, 60_000);
    await eventually(() => worker.deliveries.length === 1);
    worker.deliveries[0]?.ack();
    await eventually(async () => {
      const result = await gateway.queue.accept(buildCall(queue, { id: mine }), { unique: true });
      return result.kind === 'stored';
    });
  });
});

describe('a call that must wait', () => {
  test('is ready at its time, whole, and never before', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using worker = await startWorkerSide(inject('natsUrl'));
    const notBefore = Date.now() + 1_000;
    const calls = Array.from({ length: 20 }, (_, n) => buildCall(queue, { notBefore: notBefore + n }));
    const results = await Promise.all(calls.map((call) => gateway.queue.accept(call, { unique: false })));
    expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['stored']));
    worker.source.request({ queue, function: 'echo' }, calls.length, 60_000);
    await eventually(() => worker.deliveries.length === calls.length);
    const delivered = new Map(worker.deliveries.map((delivery) => [delivery.callId, delivery]));
    for (const call of calls) {
      const { call: decoded, info } = delivered.get(call.id)!;
      expect(decoded).toEqual({ kind: 'call', call: { ...call, body: expect.anything() } });
      expect(info.storedAtMs).toBeGreaterThanOrEqual(call.notBefore!);
    }
    await using look = await openManager(inject('natsUrl'));
    const { state } = await look.manager.streams.info(`CALLS_${queue}`, { subjects_filter: '>' });
    expect(Object.keys(state.subjects ?? {}).filter((subject) => subject.includes('.later.'))).toEqual([]);
  });

  test('may wait for a year', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    const notBefore = Date.now() + 365 * 24 * 60 * 60 * 1000;
    const call = buildCall(queue, { id: `patient-${queue}`, notBefore });
    expect(await gateway.queue.accept(call, { unique: true })).toMatchObject({ kind: 'stored' });
    await using look = await openManager(inject('natsUrl'));
    const stored = await look.manager.streams.getMessage(`CALLS_${queue}`, { seq: 1 });
    expect(stored).toMatchObject({ subject: `calls.${queue}.later.~.echo.patient-${queue}.~.${call.startTime}` });
    expect(stored?.header.get('Nats-Schedule')).toBe(`@at ${new Date(notBefore).toISOString()}`);
    expect(await gateway.queue.accept(call, { unique: true })).toMatchObject({ reason: 'conflict' });
  });
});

describe('a broker that is away', () => {
  test('shows in available, and every call is refused at once (P1)', async () => {
    await using server = await startServer();
    await using gateway = await startGatewaySide(server.url);
    expect(gateway.queue.available).toBe(true);
    server.signal('SIGKILL');
    await eventually(() => !gateway.queue.available);
    const before = performance.now();
    const result = await gateway.queue.accept(buildCall('q'), { unique: false });
    expect(result).toMatchObject({ kind: 'refused', reason: 'unavailable' });
    expect(performance.now() - before).toBeLessThan(15_000);
    await server.restart();
    await eventually(() => gateway.queue.available);
    expect(await gateway.queue.accept(buildCall('q'), { unique: false })).toMatchObject({ kind: 'stored' });
  });

  test('that hangs costs a time limit, even for a function that was never called before', async () => {
    await using server = await startServer();
    await using gateway = await startGatewaySide(server.url, { publishTimeoutMs: 2_000 });
    await server.pause();
    const before = performance.now();
    const result = await gateway.queue.accept(buildCall('new-queue', { id: 'late' }), { unique: false });
    expect(result).toMatchObject({ kind: 'refused', reason: 'timeout' });
    // Two seconds on a quiet machine.
    expect(performance.now() - before).toBeLessThan(30_000);
    expect(gateway.queue.available).toBe(false);
    server.signal('SIGCONT');
    await eventually(() => gateway.queue.available);
    await eventually(async () => {
      const next = await gateway.queue.accept(buildCall('new-queue', { id: 'next' }), { unique: false });
      return next.kind === 'stored';
    });
    await using look = await openManager(server.url);
    // The late one was given up before it was sent: it must not turn up.
    expect((await look.manager.streams.info('CALLS_new-queue')).state.messages).toBe(1);
  });

  test('and comes back without its data has streams and consumers again', async () => {
    const queue = uniqueQueue();
    const server = await startServer();
    await using gateway = await startGatewaySide(server.url, { queues: [queue] });
    await gateway.queue.accept(buildCall(queue), { unique: false });
    await server.stop();
    await eventually(() => !gateway.queue.available);
    await using empty = await startServer({ port: server.port });
    await eventually(() => gateway.topology.ready);
    expect(gateway.topology.hasLane(queue, 'echo')).toBe(false);
    expect(await gateway.queue.accept(buildCall(queue), { unique: false })).toMatchObject({ sequence: 1 });
    await using look = await openManager(empty.url);
    expect((await look.manager.consumers.info(`CALLS_${queue}`, 'echo')).num_pending).toBe(1);
  });

  test('or a deleted stream is created again for the next call', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await gateway.queue.accept(buildCall(queue), { unique: false });
    await using look = await openManager(inject('natsUrl'));
    await look.manager.streams.delete(`CALLS_${queue}`);
    expect(await gateway.queue.accept(buildCall(queue), { unique: false })).toMatchObject({ reason: 'unavailable' });
    expect(await gateway.queue.accept(buildCall(queue), { unique: false })).toMatchObject({ kind: 'stored' });
    expect((await look.manager.consumers.info(`CALLS_${queue}`, 'echo')).num_pending).toBe(1);
  });
});

test('a name or an id that could break out of its subject never reaches the broker (P7)', async () => {
  const queue = uniqueQueue();
  await using gateway = await startGatewaySide(inject('natsUrl'), { queues: [queue] });
  for (const changes of [{ id: 'a.b' }, { id: '*' }, { function: 'a.b.c' }, { function: '>' }, { queue: 'q.ready' }]) {
    await expect(gateway.queue.accept(buildCall(queue, changes), { unique: true })).rejects.toThrow(TypeError);
  }
  await using look = await openManager(inject('natsUrl'));
  expect((await look.manager.streams.info(`CALLS_${queue}`)).state.messages).toBe(0);
});

test('a call that is stored while its consumer is removed gets one again', async () => {
  const queue = uniqueQueue();
  await using gateway = await startGatewaySide(inject('natsUrl'), { functions: [functionConfig('echo', queue)] });
  const { broker, topology, publisher } = gateway;
  await gateway.queue.accept(buildCall(queue), { unique: false });
  const removing = {
    timeoutMs: publisher.timeoutMs,
    async publish(message: Parameters<typeof publisher.publish>[0]) {
      await topology.removeLane(queue, 'echo');
      return publisher.publish(message);
    },
  };
  const register = new FunctionRegister();
  const calls = new CallQueue({ broker, topology, publisher: removing, register });
  expect(await calls.accept(buildCall(queue), { unique: false })).toMatchObject({ kind: 'stored' });
  await eventually(async () => (await topology.listLanes(queue)).some(({ pending }) => pending === 2));
});

test('when a connection is back, calls are accepted while the API of JetStream does not answer yet', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-api-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'users.conf');
  const allowBut = (deny: string): Promise<void> => {
    const permissions = `{ publish: { allow: [">"], deny: [${JSON.stringify(deny)}] } }`;
    return writeFile(file, `authorization { users: [{ user: u, password: p, permissions: ${permissions} }] }`);
  };
  await allowBut('nothing');
  await using server = await startServer({ config: `include "../${basename(folder)}/users.conf"\nno_auth_user: u` });
  const queue = uniqueQueue();
  const functions = [functionConfig('echo', queue), functionConfig('other', queue)];
  await using side = await startGatewaySide(server.url, { queues: [queue], functions });
  expect(await side.queue.accept(buildCall(queue), { unique: false })).toMatchObject({ kind: 'stored' });

  await allowBut('$JS.API.>');
  await server.restart();
  await eventually(() => side.broker.reconnects === 1 && side.queue.available);
  expect(side.topology.ready).toBe(false);
  expect(await side.queue.accept(buildCall(queue), { unique: false })).toMatchObject({ kind: 'stored' });
  // Whether this call has a consumer is not known (P2).
  const other = buildCall(queue, { function: 'other' });
  expect(await side.queue.accept(other, { unique: false })).toMatchObject({ kind: 'refused', reason: 'unavailable' });

  await allowBut('nothing');
  await server.restart();
  await eventually(() => side.topology.ready);
  expect(await side.queue.accept(other, { unique: false })).toMatchObject({ kind: 'stored' });
});
