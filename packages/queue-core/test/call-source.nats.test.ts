import { randomBytes } from 'node:crypto';
import { connect as connectSocket } from 'node:net';
import { eventually, startTcpProxy } from '@asyncfn/testkit';
import { describe, expect, inject, test } from 'vitest';
import type { Delivery } from '../src/jetstream/index.ts';
import { startServer, uniqueQueue } from './connected.ts';
import {
  buildCall,
  functionConfig,
  type GatewaySide,
  openManager,
  startGatewaySide,
  startWorkerSide,
  type WorkerSide,
} from './harness.ts';

/** Well under the lease of five minutes: a call that comes in this time does not come because a lease ran out. */
const soon = { timeoutMs: 60_000 };

async function store(gateway: GatewaySide, queue: string, count: number, name = 'echo'): Promise<string[]> {
  const calls = Array.from({ length: count }, () => buildCall(queue, { function: name }));
  const results = await Promise.all(calls.map((call) => gateway.queue.accept(call, { unique: false })));
  expect(results.every(({ kind }) => kind === 'stored')).toBe(true);
  return calls.map(({ id }) => id);
}

async function received(worker: WorkerSide, count: number): Promise<readonly Delivery[]> {
  await eventually(() => worker.deliveries.length >= count, soon);
  return worker.deliveries;
}

/** Resolves when everything that the broker has sent by now has been handled. */
async function settled(worker: WorkerSide): Promise<void> {
  worker.source.flush();
  await worker.broker.connection?.flush();
}

describe('requests', () => {
  test('bring exactly as many calls as are asked for (P4)', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using worker = await startWorkerSide(inject('natsUrl'));
    const ids = await store(gateway, queue, 10);
    worker.source.request(lane, 3, 60_000);
    expect(worker.source.open(lane)).toBe(3);
    await received(worker, 3);
    await settled(worker);
    expect(worker.deliveries.map(({ callId }) => callId)).toEqual(ids.slice(0, 3));
    expect(worker.source.open(lane)).toBe(0);

    worker.source.request(lane, 4, 60_000);
    worker.source.request(lane, 5, 60_000);
    await received(worker, 10);
    expect(worker.source.open(lane)).toBe(2);
    expect(worker.deliveries.at(-1)?.info.pending).toBe(0);
    expect(worker.unfilled).toEqual([]);
  });

  test('of every size and length are answered or end, and then none is outstanding', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using worker = await startWorkerSide(inject('natsUrl'));
    await store(gateway, queue, 40);
    for (const [count, expiresMs] of [
      [5, 0],
      [7, 150],
      [20, 200],
      [20, 300],
      [20, 250],
    ] as const) {
      worker.source.request(lane, count, expiresMs);
    }
    await received(worker, 40);
    expect(worker.source.open(lane)).toBeLessThanOrEqual(32);
    await eventually(() => worker.source.open(lane) === 0, soon);
    expect(worker.deliveries).toHaveLength(40);
    await using look = await openManager(inject('natsUrl'));
    expect((await look.manager.consumers.info(`CALLS_${queue}`, 'echo')).num_waiting).toBe(0);
  });

  test('that find nothing end with their time, and the listener learns of it', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    await using worker = await startWorkerSide(inject('natsUrl'));
    await worker.topology.ensureFunction(functionConfig('echo', queue));
    const before = performance.now();
    worker.source.request(lane, 2, 300);
    await eventually(() => worker.unfilled.length === 1, soon);
    expect(performance.now() - before).toBeGreaterThan(250);
    expect(worker.unfilled).toEqual([lane]);
    expect(worker.source.open(lane)).toBe(0);
  });

  test('for calls that exist end soon, even while the function is at its limit', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    const config = functionConfig('echo', queue, 2);
    await using gateway = await startGatewaySide(inject('natsUrl'), { functions: [config] });
    await using worker = await startWorkerSide(inject('natsUrl'));
    await store(gateway, queue, 5);
    worker.source.request(lane, 5, 0);
    await received(worker, 2);
    await eventually(() => worker.source.open(lane) === 0, soon);
    expect(worker.deliveries).toHaveLength(2);
    await using look = await openManager(inject('natsUrl'));
    const info = await look.manager.consumers.info(`CALLS_${queue}`, 'echo');
    expect(info).toMatchObject({ num_waiting: 0, num_ack_pending: 2, num_pending: 3 });
  });

  test('whose end the broker does not report stay outstanding while it hangs, and end once it answers', async () => {
    let skippedMs = 0;
    let clockReads = 0;
    const now = (): number => {
      clockReads += 1;
      return performance.now() + skippedMs;
    };
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    await using server = await startServer();
    await using worker = await startWorkerSide(server.url, { now });
    await worker.topology.ensureFunction(functionConfig('echo', queue));
    await settled(worker);
    await server.pause();
    worker.source.request(lane, 1, 60_000);
    skippedMs = 120_000;
    clockReads = 0;
    await eventually(() => clockReads > 0, { message: 'no round looked for overdue requests' });
    expect(worker.source.open(lane)).toBe(1);
    server.signal('SIGCONT');
    await eventually(() => worker.source.open(lane) === 0, soon);
    expect(worker.unfilled).toEqual([lane]);
  });

  test('of two workers share the calls, and no call comes twice', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using one = await startWorkerSide(inject('natsUrl'));
    await using two = await startWorkerSide(inject('natsUrl'));
    const ids = await store(gateway, queue, 200);
    one.source.request(lane, 100, 60_000);
    two.source.request(lane, 100, 60_000);
    await received(one, 100);
    await received(two, 100);
    const got = [...one.deliveries, ...two.deliveries].map(({ callId }) => callId);
    expect(new Set(got)).toEqual(new Set(ids));
    expect(got).toHaveLength(200);
  });
});

describe('a call', () => {
  test('is decoded as a gateway has stored it, byte for byte', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using worker = await startWorkerSide(inject('natsUrl'));
    const latin1 = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
    const call = buildCall(queue, {
      function: 'thumbnail.prod',
      path: '/a%2Fb/../\u00ff',
      query: 'x=%00&y=\u00e9',
      headers: [
        ['X-Every-Byte', latin1],
        ['x-every-byte', ''],
        ['Nats-Rollup', 'all'],
      ],
      callbackUrl: 'https://user:pw@example.com/hook?t=1',
      body: randomBytes(300_000),
    });
    expect(await gateway.queue.accept(call, { unique: true })).toMatchObject({ kind: 'stored' });
    worker.source.request({ queue, function: 'thumbnail.prod' }, 1, 60_000);
    const [delivery] = await received(worker, 1);
    expect(delivery).toMatchObject({ callId: call.id, function: 'thumbnail.prod', queue });
    expect(delivery?.info).toMatchObject({ deliveries: 1, consumer: 'thumbnail@prod', stream: `CALLS_${queue}` });
    expect(delivery?.info.storedAtMs).toBeGreaterThan(Date.now() - 60_000);
    const { body, ...rest } = delivery?.call.kind === 'call' ? delivery.call.call : call;
    const { body: sent, ...expected } = call;
    expect(rest).toEqual(expected);
    expect(Buffer.compare(body, sent)).toBe(0);
  });

  test('without a body comes without one', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using worker = await startWorkerSide(inject('natsUrl'));
    await gateway.queue.accept(buildCall(queue, { body: new Uint8Array() }), { unique: false });
    worker.source.request({ queue, function: 'echo' }, 1, 60_000);
    const [delivery] = await received(worker, 1);
    expect(delivery?.call.kind === 'call' && delivery.call.call.body.length).toBe(0);
  });

  test.each([
    ['without our header', 'NATS/1.0\r\n\r\n', 'no Asyncfn-Call header'],
    ['with malformed headers', 'NATS/1.0\r\nbad name: x\r\n\r\n', 'the headers of the message are malformed'],
    ['with a broken envelope', 'NATS/1.0\r\nAsyncfn-Call: {"v":1}\r\n\r\n', 'Asyncfn-Call has a wrong shape'],
  ])('%s is handed over as undecodable, and the connection goes on', async (_, headers, problem) => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using worker = await startWorkerSide(inject('natsUrl'));
    await worker.topology.ensureFunction(functionConfig('echo', queue));
    await publishRaw(inject('natsUrl'), `calls.${queue}.ready.~.echo.strange.~.1`, headers);
    worker.source.request({ queue, function: 'echo' }, 2, 60_000);
    const [delivery] = await received(worker, 1);
    expect(delivery).toMatchObject({ callId: 'strange', call: { kind: 'undecodable' } });
    expect(delivery?.call).toHaveProperty('problem', expect.stringContaining(problem));
    delivery?.term('undecodable');
    await store(gateway, queue, 1);
    await received(worker, 2);
  });
});

/** Publishes bytes that no client library would send. */
async function publishRaw(url: string, subject: string, headers: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connectSocket(Number(port), hostname);
  const heard: string[] = [];
  socket.setEncoding('latin1').on('data', (chunk: string) => heard.push(chunk));
  socket.write('CONNECT {"headers":true,"verbose":false}\r\n');
  socket.write(`HPUB ${subject} ${headers.length} ${headers.length}\r\n${headers}\r\nPING\r\n`);
  await eventually(() => heard.join('').includes('PONG'));
  socket.destroy();
}

describe('acknowledgements', () => {
  test('done removes the call', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using worker = await startWorkerSide(inject('natsUrl'));
    await store(gateway, queue, 3);
    worker.source.request({ queue, function: 'echo' }, 3, 60_000);
    for (const delivery of await received(worker, 3)) {
      delivery.ack();
    }
    await settled(worker);
    await using look = await openManager(inject('natsUrl'));
    await eventually(async () => (await look.manager.streams.info(`CALLS_${queue}`)).state.messages === 0, soon);
  });

  test('a call that is set aside leaves the queue, and an advisory tells operators why', async () => {
    const queue = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using worker = await startWorkerSide(inject('natsUrl'));
    await using look = await openManager(inject('natsUrl'));
    const advisories: string[] = [];
    look.connection.subscribe(`$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.CALLS_${queue}.echo`, {
      callback: (_, message) => void advisories.push(message.string()),
    });
    await look.connection.flush();
    await store(gateway, queue, 1);
    worker.source.request({ queue, function: 'echo' }, 1, 60_000);
    const [delivery] = await received(worker, 1);
    delivery?.term('it killed five workers');
    await eventually(() => advisories.length === 1, soon);
    expect(JSON.parse(advisories[0] ?? '')).toMatchObject({ reason: 'it killed five workers', deliveries: 1 });
    expect((await look.manager.streams.info(`CALLS_${queue}`)).state.messages).toBe(0);
  });

  test('a call that is handed back comes to another worker at once', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using one = await startWorkerSide(inject('natsUrl'));
    await using two = await startWorkerSide(inject('natsUrl'));
    const ids = await store(gateway, queue, 5);
    one.source.request(lane, 5, 60_000);
    await received(one, 5);
    two.source.request(lane, 5, 60_000);
    for (const delivery of one.deliveries) {
      delivery.nak();
    }
    const again = await received(two, 5);
    expect(again.map(({ callId }) => callId).sort()).toEqual([...ids].sort());
    expect(again.map(({ info }) => info.deliveries)).toEqual([2, 2, 2, 2, 2]);
  });

  test('a lease that is renewed in time does not run out, one that is not does', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    const ackWaitMs = 600;
    await using worker = await startWorkerSide(inject('natsUrl'), { ackWaitMs });
    await worker.topology.ensureFunction(functionConfig('echo', queue));
    await using gateway = await startGatewaySide(inject('natsUrl'), { ackWaitMs });
    const [kept, dropped] = await store(gateway, queue, 2);
    worker.source.request(lane, 2, 60_000);
    await received(worker, 2);
    const extend = setInterval(() => worker.deliveries[0]?.inProgress(), 100);
    worker.source.request(lane, 2, 60_000);
    await received(worker, 4);
    clearInterval(extend);
    const calls = worker.deliveries.slice(2).map(({ callId, info }) => [callId, info.deliveries]);
    expect(calls).toEqual([
      [dropped, 2],
      [dropped, 3],
    ]);
    expect(worker.deliveries[0]?.callId).toBe(kept);
  });
});

describe('an outage', () => {
  test('voids all requests, and calls stored meanwhile come by new ones, once each and without waiting for a lease', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using proxy = await startTcpProxy({ port: Number(new URL(inject('natsUrl')).port) });
    await using worker = await startWorkerSide(`nats://${proxy.host}:${proxy.port}`);
    await worker.topology.ensureFunction(functionConfig('echo', queue));
    worker.source.request(lane, 10, 60_000);
    await settled(worker);
    proxy.cut();
    await eventually(() => !worker.broker.connected);
    expect(worker.source.open(lane)).toBe(0);
    const ids = await store(gateway, queue, 10);
    proxy.heal();
    await eventually(() => worker.broker.connected);
    worker.source.request(lane, 10, 60_000);
    await received(worker, 10);
    await settled(worker);
    expect(worker.deliveries.map(({ callId }) => callId).sort()).toEqual([...ids].sort());
    expect(worker.deliveries.every(({ info }) => info.deliveries === 1)).toBe(true);
  });

  test('leaves no request behind that would bring calls without a slot (P4)', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using proxy = await startTcpProxy({ port: Number(new URL(inject('natsUrl')).port) });
    await using worker = await startWorkerSide(`nats://${proxy.host}:${proxy.port}`);
    await worker.topology.ensureFunction(functionConfig('echo', queue));
    worker.source.request(lane, 10, 60_000);
    await settled(worker);
    proxy.cut();
    await eventually(() => !worker.broker.connected);
    proxy.heal();
    await eventually(() => worker.broker.connected);
    await settled(worker);
    await store(gateway, queue, 10);
    worker.source.request(lane, 3, 300);
    await received(worker, 3);
    worker.source.request(lane, 1, 100);
    await received(worker, 4);
    await settled(worker);
    expect(worker.deliveries).toHaveLength(4);
    expect(worker.source.open(lane)).toBe(0);
  });

  test('does not lose what settles a call: it is sent when the broker is back, and the call does not come again', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    const ackWaitMs = 3_000;
    await using server = await startServer();
    await using worker = await startWorkerSide(server.url, { ackWaitMs });
    await worker.topology.ensureFunction(functionConfig('echo', queue));
    await using gateway = await startGatewaySide(server.url, { ackWaitMs });
    await store(gateway, queue, 2);
    worker.source.request(lane, 2, 60_000);
    const [one, two] = await received(worker, 2);
    server.signal('SIGTERM');
    await server.exited;
    await eventually(() => !worker.broker.connected);
    one?.ack();
    two?.term('bad');
    worker.source.flush();
    await server.restart();
    await eventually(() => worker.topology.ready);
    await using look = await openManager(server.url);
    await eventually(async () => (await look.manager.streams.info(`CALLS_${queue}`)).state.messages === 0);
    worker.source.request(lane, 1, ackWaitMs + 1_000);
    await eventually(() => worker.unfilled.length === 1);
    expect(worker.deliveries).toHaveLength(2);
  });

  test('drops naks: a lease that another worker may have by then is not ended', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using proxy = await startTcpProxy({ port: Number(new URL(inject('natsUrl')).port) });
    await using worker = await startWorkerSide(`nats://${proxy.host}:${proxy.port}`);
    await store(gateway, queue, 1);
    worker.source.request(lane, 1, 60_000);
    const [delivery] = await received(worker, 1);
    proxy.cut();
    await eventually(() => !worker.broker.connected);
    delivery?.nak();
    worker.source.flush();
    proxy.heal();
    await eventually(() => worker.broker.connected);
    await settled(worker);
    await using look = await openManager(inject('natsUrl'));
    const info = await look.manager.consumers.info(`CALLS_${queue}`, 'echo');
    expect(info).toMatchObject({ num_ack_pending: 1, num_redelivered: 0 });
    worker.source.request(lane, 1, 300);
    await eventually(() => worker.unfilled.length === 1, soon);
    expect(worker.deliveries).toHaveLength(1);
  });

  test('of answers alone delays neither the settling of a call nor requests', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    await using server = await startServer();
    await using gateway = await startGatewaySide(server.url);
    await using worker = await startWorkerSide(server.url);
    await store(gateway, queue, 2);
    worker.source.request(lane, 1, 60_000);
    const [delivery] = await received(worker, 1);
    await server.pause();
    worker.broker.suspect();
    expect(worker.broker.connected).toBe(false);
    delivery?.ack();
    worker.source.flush();
    worker.source.request(lane, 1, 60_000);
    server.signal('SIGCONT');
    await received(worker, 2);
    await using look = await openManager(server.url);
    await eventually(async () => (await look.manager.streams.info(`CALLS_${queue}`)).state.messages === 1, soon);
  });
});

describe('a stop', () => {
  test('hands over the calls that were on their way, and takes none after that (P8)', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using worker = await startWorkerSide(inject('natsUrl'));
    await using next = await startWorkerSide(inject('natsUrl'));
    await store(gateway, queue, 2_000);
    worker.source.request(lane, 2_000, 60_000);
    await eventually(() => worker.deliveries.length > 0, { intervalMs: 1 });
    await worker.source.stop();
    const taken = worker.deliveries.length;
    for (const delivery of worker.deliveries) {
      delivery.nak();
    }
    await settled(worker);
    expect(worker.source.open(lane)).toBe(0);
    worker.source.request(lane, 10, 60_000);
    next.source.request(lane, 2_000, 60_000);
    await received(next, 2_000);
    expect(new Set(next.deliveries.map(({ callId }) => callId)).size).toBe(2_000);
    expect(worker.deliveries).toHaveLength(taken);
  });

  test('is shared by concurrent callers, legal before a connection, and final', async () => {
    const queue = uniqueQueue();
    await using server = await startServer();
    await using worker = await startWorkerSide(server.url);
    await Promise.all([worker.source.stop(), worker.source.stop()]);
    await server.restart();
    await eventually(() => worker.topology.ready);
    await worker.topology.ensureFunction(functionConfig('echo', queue));
    worker.source.request({ queue, function: 'echo' }, 1, 60_000);
    expect(worker.source.open({ queue, function: 'echo' })).toBe(0);
  });

  test('does not wait for a broker that hangs', async () => {
    await using server = await startServer();
    await using worker = await startWorkerSide(server.url);
    await server.pause();
    const before = performance.now();
    await worker.source.stop();
    expect(performance.now() - before).toBeLessThan(30_000);
    server.signal('SIGCONT');
  });
});

describe('lanes', () => {
  test('whose consumer is deleted are gone', async () => {
    const queue = uniqueQueue();
    const lane = { queue, function: 'echo' };
    await using worker = await startWorkerSide(inject('natsUrl'));
    await worker.topology.ensureFunction(functionConfig('echo', queue));
    worker.source.request(lane, 3, 60_000);
    await settled(worker);
    // The server drops messages that its consumer has not read yet when that is deleted.
    const { consumers } = worker.topology.manager;
    await eventually(async () => (await consumers.info(`CALLS_${queue}`, 'echo')).num_waiting > 0);
    await worker.topology.removeLane(queue, 'echo');
    await eventually(() => worker.gone.length > 0, soon);
    expect(worker.gone).toEqual([lane]);
    expect(worker.source.open(lane)).toBe(0);
  });

  test('that never had a consumer are gone', async () => {
    const lane = { queue: uniqueQueue(), function: 'echo' };
    await using worker = await startWorkerSide(inject('natsUrl'));
    worker.source.request(lane, 1, 60_000);
    await eventually(() => worker.gone.length > 0, soon);
    expect(worker.gone).toEqual([lane]);
  });

  test('are not confused with each other: name, namespace and queue tell them apart', async () => {
    const queue = uniqueQueue();
    const other = uniqueQueue();
    await using gateway = await startGatewaySide(inject('natsUrl'));
    await using worker = await startWorkerSide(inject('natsUrl'));
    await store(gateway, queue, 1, 'echo');
    await store(gateway, queue, 1, 'echo.prod');
    await store(gateway, other, 1, 'echo');
    worker.source.request({ queue, function: 'echo' }, 5, 60_000);
    const [delivery] = await received(worker, 1);
    await settled(worker);
    expect(delivery).toMatchObject({ queue, function: 'echo' });
    expect(worker.deliveries).toHaveLength(1);
    expect(worker.source.open({ queue, function: 'echo' })).toBe(4);
    expect(worker.source.open({ queue, function: 'echo.prod' })).toBe(0);
  });

  test('two hundred of them that are idle use one subscription', async () => {
    const queue = uniqueQueue();
    const names = Array.from({ length: 200 }, (_, n) => `f${n}`);
    await using server = await startServer({ monitor: true });
    await using worker = await startWorkerSide(server.url);
    await Promise.all(names.map((name) => worker.topology.ensureFunction(functionConfig(name, queue))));
    for (const name of names) {
      worker.source.request({ queue, function: name }, 1, 60_000);
    }
    await settled(worker);
    const { connections } = (await (await fetch(`${server.monitorUrl}/connz?subs=1`)).json()) as {
      connections: { subscriptions_list: string[] }[];
    };
    const inboxes = connections
      .flatMap(({ subscriptions_list }) => subscriptions_list)
      .filter((s) => /\.\*\.\*$/.test(s));
    expect(inboxes).toHaveLength(1);
    await using gateway = await startGatewaySide(server.url);
    await store(gateway, queue, 1, 'f7');
    await received(worker, 1);
    expect(worker.source.open({ queue, function: 'f7' })).toBe(0);
    expect(worker.source.open({ queue, function: 'f8' })).toBe(1);
  });
});
