import { randomBytes } from 'node:crypto';
import { startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { eventually, freePort } from '@asyncfn/testkit';
import { Agent, request } from 'undici';
import { describe, expect, inject, test } from 'vitest';
import { exchange, post, RawClient } from './raw-client.ts';
import { manager, startGateway, startReadyGateway, storedCalls, untilReady } from './running-gateway.ts';

describe('a gateway in front of JetStream', () => {
  test('has stored a call, with all its bytes, by the time it answers 202', async () => {
    await using running = await startReadyGateway();
    await using nats = await manager(inject('natsUrl'));
    const body = randomBytes(100_000);
    const { statusCode, headers } = await request(`${running.url}/a//%2F?b=%00`, {
      method: 'POST',
      body,
      headers: { 'X-Bytes': '\xe9\xff', 'X-Callback-Url': 'http://receiver.test/' },
    });
    expect(statusCode).toBe(202);
    const [call] = await storedCalls(nats.streams, running.queue);
    expect(call).toMatchObject({
      id: headers['x-call-id'],
      startTime: headers['x-start-time'],
      function: running.name,
      path: '/a//%2F',
      query: 'b=%00',
      callbackUrl: 'http://receiver.test/',
      retry: 0,
      headers: expect.arrayContaining([['X-Bytes', '\xe9\xff']]),
    });
    expect(Buffer.from(call!.body)).toEqual(body);
  });

  test("is not misled by NATS's own headers in a request", async () => {
    await using running = await startReadyGateway();
    await using nats = await manager(inject('natsUrl'));
    const hostile = 'Nats-Rollup: all\r\nNats-Msg-Id: x\r\nNats-Schedule: @at 2009-11-10T23:00:00Z\r\nNats-TTL: 1s\r\n';
    const target = new URL(running.url).pathname;
    for (let n = 0; n < 3; n++) {
      const answer = await exchange(running.gateway.port, post(target, hostile));
      expect(answer).toMatch(/^HTTP\/1.1 202 /);
    }
    const calls = await storedCalls(nats.streams, running.queue);
    expect(calls).toHaveLength(3);
    expect(calls[0]?.headers).toContainEqual(['Nats-Rollup', 'all']);
  });

  test('refuses a call id that is still in the queue, even if both come at once', async () => {
    await using running = await startReadyGateway();
    await using nats = await manager(inject('natsUrl'));
    const send = async () => {
      const { statusCode, body } = await request(running.url, { method: 'POST', headers: { 'X-Call-Id': 'mine' } });
      return `${statusCode} ${((await body.json()) as { code?: string }).code ?? 'accepted'}`;
    };
    const answers = await Promise.all([send(), send(), send()]);
    const conflict = '409 call_id_conflict';
    expect(answers.toSorted((a, b) => a.localeCompare(b))).toEqual(['202 accepted', conflict, conflict]);
    expect(await storedCalls(nats.streams, running.queue)).toHaveLength(1);
  });

  test("creates a function's consumer again after it was removed, so that its next calls are found", async () => {
    await using running = await startReadyGateway();
    await using nats = await manager(inject('natsUrl'));
    const stream = `CALLS_${running.queue}`;
    await (await request(running.url, { method: 'POST' })).body.dump();
    await nats.streams.consumers.delete(stream, running.name);
    await eventually(async () => {
      await (await request(running.url, { method: 'POST' })).body.dump();
      const { num_pending } = await nats.streams.consumers.info(stream, running.name);
      return num_pending > 1;
    });
  });

  test('tells operators its state and its settings', async () => {
    await using running = await startReadyGateway();
    await (await request(running.url, { method: 'POST' })).body.dump();
    const checks = { nats: 'connected', topology: 'in place', streams: 'kept', intake: 'open', register: 'known' };
    // Other tests share the broker, with their functions and with streams in memory.
    const shared = {
      functions: expect.stringMatching(/^[1-9]/),
      durability: expect.stringMatching(/^(single|memory)$/),
    };
    await eventually(async () => {
      const ready = await (await fetch(`${running.opsUrl}/readyz`)).json();
      expect(ready).toEqual({ status: 'ready', checks: { ...checks, ...shared } });
      return true;
    });
    const metrics = await (await fetch(`${running.opsUrl}/metrics`)).text();
    expect(metrics).toContain(`gateway_invocation_function_started{function_name="${running.name}"} 1`);
    expect(metrics).toContain(`queue_worker_messages_submitted_total{queue_name="${running.queue}"} 1`);
    expect(metrics).toContain('gateway_nats_reconnect_total 0');
    expect(metrics).toContain('process_cpu_seconds_total');
  });

  test('has stored every call that it answered 202 when it is stopped under load', async () => {
    await using running = await startReadyGateway();
    await using nats = await manager(inject('natsUrl'));
    const agent = new Agent({ connections: 50 });
    const accepted: string[] = [];
    const others: unknown[] = [];
    let stopping = false;
    const client = async () => {
      while (!stopping || others.length === 0) {
        try {
          const { statusCode, headers, body } = await request(running.url, { method: 'POST', dispatcher: agent });
          await body.dump();
          if (statusCode === 202) {
            accepted.push(String(headers['x-call-id']));
          } else {
            others.push(statusCode);
          }
        } catch (error) {
          others.push((error as { code?: string }).code);
          return;
        }
      }
    };
    const clients = Promise.all(Array.from({ length: 50 }, client));
    await eventually(() => accepted.length > 500);
    await running.gateway.stop();
    stopping = true;
    await clients;
    await agent.close();
    // Closed between two requests, or closed to new ones; an answer other than 202 would be a refusal without a reason.
    expect(['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET']).toEqual(expect.arrayContaining(others));
    const stored = new Set((await storedCalls(nats.streams, running.queue)).map(({ id }) => id));
    expect(accepted.filter((id) => !stored.has(id))).toEqual([]);
    expect(stored.size).toBe(accepted.length);
    expect(running.failures).toEqual([]);
  });

  test('cannot start if its port is in use, and says which setting to change', async () => {
    await using running = await startReadyGateway();
    await expect(startGateway(inject('natsUrl'), { PORT: String(running.gateway.port) })).rejects.toThrow(
      /in use; choose another with PORT/,
    );
  });
});

describe('a gateway with a broker of its own', () => {
  const start = async (options: object = {}) =>
    await startNatsServer({ bin: inject('natsServerBin'), port: await freePort(), ...options });

  test('answers 503 while the broker is away, at once after the first, and works again when it is back', async () => {
    await using nats = await start();
    await using running = await startGateway(nats.url);
    await untilReady(running);
    const send = async () => {
      const began = performance.now();
      const { statusCode, headers, body } = await request(running.url, { method: 'POST', body: 'x' });
      const { code } = (await body.json()) as { code?: string };
      return { statusCode, code, retryAfter: Number(headers['retry-after']), tookMs: performance.now() - began };
    };
    expect(await send()).toMatchObject({ statusCode: 202 });
    await nats.pause();
    const first = await send();
    expect(first).toMatchObject({ statusCode: 503, code: 'broker_timeout' });
    expect(first.tookMs).toBeLessThan(30_000);
    for (let n = 0; n < 10; n++) {
      const next = await send();
      expect(next).toMatchObject({ statusCode: 503, code: 'broker_unavailable' });
      expect(next.retryAfter).toBeGreaterThanOrEqual(1);
      expect(next.tookMs).toBeLessThan(15_000);
    }
    expect((await fetch(`${running.opsUrl}/readyz`)).status).toBe(503);
    nats.signal('SIGCONT');
    await untilReady(running);
    expect(await send()).toMatchObject({ statusCode: 202 });
    await nats.restart();
    await untilReady(running);
    expect(await send()).toMatchObject({ statusCode: 202 });
    expect(await (await fetch(`${running.opsUrl}/metrics`)).text()).toMatch(/^gateway_nats_reconnect_total [1-9]/m);
    expect(running.failures).toEqual([]);
  });

  test('can start before the broker and stop without it', async () => {
    const nats = await start();
    const { url } = nats;
    await nats.stop();
    await using running = await startGateway(url);
    const { statusCode, body } = await request(running.url, { method: 'POST' });
    expect([statusCode, await body.json()]).toMatchObject([503, { code: 'broker_unavailable' }]);
    expect((await fetch(`${running.opsUrl}/livez`)).status).toBe(200);
  });

  test('refuses with 413 what is larger than NATS takes, and stays connected', async () => {
    await using nats = await start({ maxPayload: 100_000 });
    await using running = await startGateway(nats.url);
    await untilReady(running);
    const send = async (bytes: number) => {
      const { statusCode, body } = await request(running.url, { method: 'POST', body: randomBytes(bytes) });
      await body.dump();
      return statusCode;
    };
    expect(await send(150_000)).toBe(413);
    expect(await send(50_000)).toBe(202);
  });

  test('lets a request that is still arriving end before it stops', async () => {
    await using nats = await start();
    await using running = await startGateway(nats.url);
    await untilReady(running);
    await using client = await RawClient.connect(running.gateway.port);
    client.send(
      `POST ${new URL(running.url).pathname} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
    );
    await client.answer(/100 Continue\r\n\r\n/);
    const stopped = running.gateway.stop();
    client.send('hello');
    expect(await client.closed()).toMatch(/HTTP\/1.1 202 /);
    await stopped;
  });
});

test('RESULT_TTL reaches the workers, which forget ends by it, even when it changes', async () => {
  await using nats = await startNatsServer({ bin: inject('natsServerBin') });
  const told = async () => {
    await using open = await manager(nats.url);
    const { max_age: maxAge, metadata } = (await open.streams.streams.info('OUTCOMES')).config;
    return [maxAge, metadata?.['asyncfn-result-ttl-ms']];
  };
  for (const [ttl, ms] of [
    ['1h', '3600000'],
    ['3h', '10800000'],
    ['0', '0'],
  ] as const) {
    await using gateway = await startGateway(nats.url, { RESULT_TTL: ttl });
    await untilReady(gateway);
    expect([ttl, ...(await told())]).toEqual([ttl, 0, ms]);
  }
});
