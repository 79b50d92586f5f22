import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { eventually } from '@asyncfn/testkit';
import { Gauge, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { capturedLogger } from '../../test/captured-logger.ts';
import { createOpsServer, createRegistry, type OpsServerOptions } from './ops-server.ts';

async function started(options: Partial<OpsServerOptions> = {}) {
  const captured = capturedLogger();
  const server = createOpsServer({
    host: '127.0.0.1',
    port: 0,
    allowedHosts: [],
    registry: new Registry(),
    readiness: () => ({ ready: true, checks: { nats: 'connected' } }),
    logger: captured.logger,
    ...options,
  });
  await server.start();
  return { ...captured, server, url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop() };
}

/** A registry with a collector that never ends. */
function hungRegistry(): Registry {
  const registry = new Registry();
  const collect = () => new Promise<void>(() => {});
  registry.registerMetric(new Gauge({ name: 'hung', help: 'Hangs.', registers: [], collect }));
  return registry;
}

test('a client that has closed its half of the connection is answered', async () => {
  const registry = new Registry();
  let halfClosed = false;
  const collect = async (): Promise<void> => {
    await eventually(() => halfClosed);
    // The end of the client's half has arrived: the server reads it in the next ticks of the event loop.
    for (let turn = 0; turn < 10; turn++) {
      await setImmediate();
    }
  };
  registry.registerMetric(new Gauge({ name: 'late', help: 'Takes a while.', registers: [], collect }));
  await using ops = await started({ registry });
  const socket = connect({ port: ops.server.port, host: '127.0.0.1' });
  socket.end('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n', () => {
    halfClosed = true;
  });
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*# TYPE late gauge/s);
});

describe('with a host name', () => {
  async function statusFor(url: string, host: string): Promise<number | undefined> {
    return await new Promise((resolve, reject) => {
      request(`${url}/metrics`, { headers: { host } }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
  }

  test('that may be that of a web page, a server for this machine alone reveals nothing', async () => {
    await using ops = await started({ allowedHosts: [{ kind: 'host', host: 'ops.internal' }] });
    expect(await statusFor(ops.url, 'evil.example:8082')).toBe(403);
    expect(await statusFor(ops.url, 'localhost:8082')).toBe(200);
    expect(await statusFor(ops.url, 'ops.internal')).toBe(200);
  });

  test('a server for others answers to any name', async () => {
    await using ops = await started({ host: '0.0.0.0' });
    expect(await statusFor(ops.url, 'worker:8081')).toBe(200);
  });
});

describe('probes', () => {
  test('/livez says that the process is up', async () => {
    await using ops = await started();
    const response = await fetch(`${ops.url}/livez?verbose`);
    expect([response.status, await response.text()]).toEqual([200, 'OK']);
  });

  test('/readyz reports its dependencies, as they are at this moment', async () => {
    let connected = false;
    const readiness = () => ({ ready: connected, checks: { nats: connected ? 'connected' : 'reconnecting' } });
    await using ops = await started({ readiness });
    const before = await fetch(`${ops.url}/readyz`);
    expect([before.status, await before.json()]).toEqual([
      503,
      { status: 'not ready', checks: { nats: 'reconnecting' } },
    ]);
    connected = true;
    const after = await fetch(`${ops.url}/readyz`);
    expect([after.status, await after.json()]).toEqual([200, { status: 'ready', checks: { nats: 'connected' } }]);
    expect(after.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  test('a readiness that throws is 500 and logged, and its reason is not sent', async () => {
    const readiness = () => {
      throw new Error('secret');
    };
    await using ops = await started({ readiness });
    const response = await fetch(`${ops.url}/readyz`);
    expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error']);
    expect(ops.lines.at(-1)).toMatchObject({ level: 'error', path: '/readyz', err: { message: 'secret' } });
  });
});

describe('/metrics', () => {
  test('returns the registry, with the metrics of every process', async () => {
    const registry = createRegistry();
    new Gauge({ name: 'calls', help: 'Calls.', registers: [registry] }).set(3);
    await using ops = await started({ registry });
    const response = await fetch(`${ops.url}/metrics`);
    const body = await response.text();
    expect(response.headers.get('content-type')).toBe(registry.contentType);
    expect(body).toMatch(/^calls 3$/m);
    expect(body).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(body).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
  });

  test('each registry is separate', async () => {
    expect(() => [createRegistry(), createRegistry()]).not.toThrow();
  });

  test('a collector that hangs does not keep the probes waiting, and is given up', async () => {
    await using ops = await started({ registry: hungRegistry(), metricsTimeoutMs: 50 });
    const scrape = fetch(`${ops.url}/metrics`);
    expect((await fetch(`${ops.url}/livez`)).status).toBe(200);
    expect((await fetch(`${ops.url}/readyz`)).status).toBe(200);
    expect((await scrape).status).toBe(503);
    expect(ops.lines.at(-1)).toMatchObject({ level: 'warn', msg: 'metrics were not collected in time' });
  });

  test('a collector that fails is 500', async () => {
    const registry = new Registry();
    const collect = () => Promise.reject(new Error('no numbers'));
    registry.registerMetric(new Gauge({ name: 'broken', help: 'Breaks.', registers: [], collect }));
    await using ops = await started({ registry });
    expect((await fetch(`${ops.url}/metrics`)).status).toBe(500);
    expect(ops.lines.at(-1)).toMatchObject({ level: 'error', err: { message: 'no numbers' } });
  });
});

describe('other requests', () => {
  test.each(['/livez', '/readyz', '/metrics'])('HEAD %s has headers and no body', async (path) => {
    await using ops = await started();
    const response = await fetch(ops.url + path, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toMatch(/^\d+$/);
    expect(await response.text()).toBe('');
  });

  test.each(['/', '/metrics/', '/livez/x', '//livez'])('%s is not found', async (path) => {
    await using ops = await started();
    expect((await fetch(ops.url + path)).status).toBe(404);
  });

  test('another method is answered with those that are allowed', async () => {
    await using ops = await started();
    const response = await fetch(`${ops.url}/livez`, { method: 'POST', body: 'x' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('bytes that are not HTTP do no harm', async () => {
    await using ops = await started();
    const socket = connect(ops.server.port, '127.0.0.1');
    socket.end('\u0000 nonsense\r\n\r\n');
    await new Promise((resolve) => socket.resume().on('close', resolve));
    expect((await fetch(`${ops.url}/livez`)).status).toBe(200);
  });
});

describe('start and stop', () => {
  test('the port is logged once it is open', async () => {
    await using ops = await started();
    expect(ops.lines).toMatchObject([{ level: 'info', msg: 'listening', port: ops.server.port, server: 'ops' }]);
  });

  test('a port in use is a start error that says what to do', async () => {
    await using ops = await started();
    const { port } = ops.server;
    await expect(started({ port })).rejects.toThrow(
      `the operations server cannot listen on 127.0.0.1:${port}: the port is in use; choose another with OPS_PORT`,
    );
  });

  test('an address of another machine is a start error too', async () => {
    await expect(started({ host: '203.0.113.1' })).rejects.toThrow(
      /cannot listen on 203\.0\.113\.1:0: .*EADDRNOTAVAIL/,
    );
  });

  test('there is no port before the start', () => {
    const { logger } = capturedLogger();
    const registry = new Registry();
    const readiness = () => ({ ready: true, checks: {} });
    const server = createOpsServer({ host: '127.0.0.1', port: 0, allowedHosts: [], registry, readiness, logger });
    expect(() => server.port).toThrow('not listening');
  });

  test('a stop closes idle keep-alive connections at once', async () => {
    const ops = await started();
    const agent = new Agent({ keepAlive: true });
    const socket = await getAndKeep(`${ops.url}/livez`, agent);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await ops.server.stop();
    await closed;
    agent.destroy();
    await expect(fetch(`${ops.url}/livez`)).rejects.toThrow();
  });

  test('a stop does not wait for a scrape that hangs', async () => {
    const ops = await started({ registry: hungRegistry() });
    const scrape = expect(fetch(`${ops.url}/metrics`)).rejects.toThrow();
    await fetch(`${ops.url}/livez`);
    await ops.server.stop();
    await scrape;
  });
});

/** Resolves with the connection once the answer has been read. */
function getAndKeep(url: string, agent: Agent): Promise<Socket> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (response) => {
      const { socket } = response;
      response.resume().on('end', () => resolve(socket));
    })
      .on('error', reject)
      .end();
  });
}
