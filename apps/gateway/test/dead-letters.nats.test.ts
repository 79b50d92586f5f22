import { randomBytes } from 'node:crypto';
import { startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { type Call, callHeader, createCallId, type DeadLetterReason, encodeEnvelope, keyOf } from '@asyncfn/queue-core';
import { Broker, CallStore, Publisher, QueueTopology } from '@asyncfn/queue-core/jetstream';
import { eventually, freePort } from '@asyncfn/testkit';
import { request } from 'undici';
import { expect, inject, test } from 'vitest';
import {
  type FunctionPlace,
  manager,
  type RunningGateway,
  startGateway,
  startReadyGateway,
  storedCalls,
  uniquePlace,
  untilReady,
} from './running-gateway.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The part of queue-core that a worker uses to bury calls. */
async function openGraveyard({ queue, name }: FunctionPlace, natsUrl = inject('natsUrl')) {
  const broker = new Broker({ servers: [natsUrl], name: 'test', logger: silent, onFatal: () => undefined });
  const options = { replicas: 1, ackWaitMs: 30_000, ownsLanes: true, logger: silent, onFatal: () => undefined };
  const topology = new QueueTopology(broker, { ...options, queues: () => [queue] });
  const calls = new CallStore(new Publisher(broker), topology);
  broker.start();
  await eventually(() => topology.ready);
  return {
    [Symbol.asyncDispose]: () => broker.stop(),
    async bury(reason: DeadLetterReason = 'retries_exhausted'): Promise<Call> {
      const call = createCall(queue, name);
      const letter = { v: 1, kind: 'call', ...keyOf(call), function: name, queue } as const;
      const ended = { reason, lastStatus: 500, attempts: 4, createdAt: Date.now(), endedAt: Date.now() };
      const original = { header: callHeader, value: encodeEnvelope(call), body: call.body };
      expect(await calls.putDeadLetter({ ...letter, ...ended }, original)).toMatchObject({ kind: 'stored' });
      return call;
    },
  };
}

function createCall(queue: string, name: string): Call {
  return {
    id: createCallId(),
    function: name,
    queue,
    path: '/a//%2F',
    query: 'b=%00',
    headers: [['X-Bytes', '\xe9\xff']],
    startTime: `${Date.now()}${(randomBytes(3).readUIntBE(0, 3) % 900_000) + 100_000}`,
    retry: 3,
    startedAt: Date.now(),
    body: randomBytes(1_000),
  };
}

async function ask({ apiUrl }: RunningGateway, method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) {
  const answer = await request(`${apiUrl}/system/dead-letters${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, body: text === '' ? undefined : JSON.parse(text) };
}

test('a dead letter is listed, shown and dropped', async () => {
  await using gateway = await startReadyGateway();
  await using graveyard = await openGraveyard(gateway);
  const { id } = await graveyard.bury('rejected');
  const entry = {
    callId: id,
    kind: 'call',
    function: gateway.name,
    queue: gateway.queue,
    reason: 'rejected',
    lastStatus: 500,
    attempts: 4,
    createdAt: expect.stringMatching(/^20..-..-..T..:..:..\....Z$/),
    endedAt: expect.any(String),
    bytes: 1_000,
  };
  const page = await ask(gateway, 'GET', `?function=${gateway.name}&reason=rejected`);
  expect(page).toEqual({ status: 200, body: { deadLetters: [entry] } });
  const shown = await ask(gateway, 'GET', `/${id}`);
  expect(shown).toEqual({ status: 200, body: { ...entry, kinds: ['call'], replays: 0, path: '/a//%2F' } });
  expect(await ask(gateway, 'DELETE', `/${id}`)).toEqual({ status: 204, body: undefined });
  expect(await ask(gateway, 'DELETE', `/${id}`)).toMatchObject({
    status: 404,
    body: { code: 'dead_letter_not_found' },
  });
  expect(await ask(gateway, 'GET', `?queue=${gateway.queue}`)).toEqual({ status: 200, body: { deadLetters: [] } });
});

test('pages show each dead letter that stays once, in order, while others come and go', async () => {
  await using gateway = await startReadyGateway();
  await using graveyard = await openGraveyard(gateway);
  const ids: string[] = [];
  for (let n = 0; n < 60; n++) {
    ids.push((await graveyard.bury()).id);
  }
  const dropped = ids.filter((_, index) => index % 4 === 3);
  const disturb = async () => {
    for (const id of dropped) {
      await graveyard.bury();
      await ask(gateway, 'DELETE', `/${id}`);
    }
  };
  const shown: string[] = [];
  const read = async () => {
    let cursor: string | undefined;
    do {
      const at = cursor === undefined ? '' : `&cursor=${cursor}`;
      const { body } = await ask(gateway, 'GET', `?queue=${gateway.queue}&limit=4${at}`);
      shown.push(...body.deadLetters.map(({ callId }: { callId: string }) => callId));
      cursor = body.cursor;
    } while (cursor !== undefined);
  };
  await Promise.all([disturb(), read()]);
  expect(new Set(shown).size).toBe(shown.length);
  const stayed = ids.filter((id) => !dropped.includes(id));
  expect(shown.filter((id) => stayed.includes(id))).toEqual(stayed);
});

test('a replay from two gateways at once enqueues once, as the call was accepted', async () => {
  await using gateway = await startReadyGateway();
  await using second = await startReadyGateway({}, gateway);
  await using graveyard = await openGraveyard(gateway);
  await using nats = await manager(inject('natsUrl'));
  for (let n = 1; n <= 10; n++) {
    const buried = await graveyard.bury();
    const answers = await Promise.all(
      [gateway, second, gateway, second].map((each) => ask(each, 'POST', `/${buried.id}/replay`)),
    );
    for (const { status, body } of answers) {
      expect([status, body.callId ?? body.code]).toEqual(
        status === 202 ? [202, buried.id] : [404, 'dead_letter_not_found'],
      );
    }
    expect(answers.map(({ status }) => status)).toContain(202);
    const calls = await storedCalls(nats.streams, gateway.queue);
    expect(calls).toHaveLength(n);
    const { startedAt: _, ...accepted } = buried;
    expect(calls.at(-1)).toEqual({ ...accepted, body: expect.anything(), retry: 0, generation: 1 });
    expect(Buffer.from(calls.at(-1)!.body)).toEqual(Buffer.from(buried.body));
    expect(await ask(gateway, 'GET', `/${buried.id}`)).toMatchObject({ status: 404 });
  }
});

test("a replay goes to the function's current queue, and waits there for a worker", async () => {
  const old = uniquePlace();
  await using graveyard = await openGraveyard(old);
  const { id } = await graveyard.bury();
  await using gateway = await startReadyGateway({}, { ...uniquePlace(), name: old.name });
  await using nats = await manager(inject('natsUrl'));
  expect(await ask(gateway, 'POST', `/${id}/replay`)).toMatchObject({ status: 202, body: { status: 'queued' } });
  expect(await storedCalls(nats.streams, gateway.queue)).toMatchObject([{ id, queue: gateway.queue, generation: 1 }]);
  expect(await storedCalls(nats.streams, old.queue)).toEqual([]);
  const lane = await nats.streams.consumers.info(`CALLS_${gateway.queue}`, old.name);
  expect(lane.num_pending).toBe(1);
});

test('a replay of a function that is gone is refused, and the dead letter kept', async () => {
  await using gateway = await startReadyGateway();
  await using graveyard = await openGraveyard({ ...gateway, name: 'gone' });
  const { id } = await graveyard.bury();
  expect(await ask(gateway, 'POST', `/${id}/replay`)).toMatchObject({
    status: 404,
    body: { code: 'unknown_function' },
  });
  expect(await ask(gateway, 'GET', `/${id}`)).toMatchObject({ status: 200 });
});

test('a bulk replay of 500 enqueues each once', async () => {
  await using gateway = await startReadyGateway();
  await using graveyard = await openGraveyard(gateway);
  await using nats = await manager(inject('natsUrl'));
  const buried = await Promise.all(Array.from({ length: 500 }, () => graveyard.bury()));
  await graveyard.bury('rejected');
  const query = { function: gateway.name, reason: 'retries_exhausted' };
  const first = await ask(gateway, 'POST', '/replay', { ...query, limit: 200 });
  expect(first).toMatchObject({ status: 200, body: { replayed: 200, skipped: 0, cursor: expect.any(String) } });
  const rest = await ask(gateway, 'POST', '/replay', query);
  expect(rest).toEqual({ status: 200, body: { replayed: 300, skipped: 0, reasons: {} } });
  const calls = await storedCalls(nats.streams, gateway.queue);
  expect(calls).toHaveLength(500);
  expect(new Set(calls.map(({ id }) => id))).toEqual(new Set(buried.map(({ id }) => id)));
  const { body } = await ask(gateway, 'GET', `?function=${gateway.name}`);
  expect(body.deadLetters).toMatchObject([{ reason: 'rejected' }]);
});

test('without the broker everything is 503, at once when it is known to be away, and nothing is lost', async () => {
  await using nats = await startNatsServer({ bin: inject('natsServerBin'), port: await freePort() });
  await using gateway = await startGateway(nats.url);
  await untilReady(gateway);
  await using graveyard = await openGraveyard(gateway, nats.url);
  const { id } = await graveyard.bury();
  await nats.pause();
  const began = performance.now();
  expect(await ask(gateway, 'POST', `/${id}/replay`)).toMatchObject({ status: 503, body: { code: 'broker_timeout' } });
  expect(performance.now() - began).toBeLessThan(30_000);
  // Known to be away, it is not asked.
  for (const [method, path] of [
    ['GET', ''],
    ['GET', `/${id}`],
    ['DELETE', `/${id}`],
    ['POST', `/${id}/replay`],
    ['POST', '/replay'],
  ] as const) {
    expect(await ask(gateway, method, path)).toMatchObject({ status: 503, body: { code: 'broker_unavailable' } });
  }
  nats.signal('SIGCONT');
  await nats.restart({ signal: 'SIGKILL' });
  await untilReady(gateway);
  expect(await ask(gateway, 'POST', `/${id}/replay`)).toMatchObject({ status: 202 });
  await using look = await manager(nats.url);
  expect(await storedCalls(look.streams, gateway.queue)).toMatchObject([{ id, generation: 1 }]);
});

test("the caller's limits are stored with the call", async () => {
  await using gateway = await startReadyGateway();
  await using nats = await manager(inject('natsUrl'));
  const headers = { 'X-Max-Retries': '3', 'X-Timeout': '1m30s' };
  const { statusCode, body } = await request(gateway.url, { method: 'POST', headers });
  await body.dump();
  expect(statusCode).toBe(202);
  const [call] = await storedCalls(nats.streams, gateway.queue);
  expect(call).toMatchObject({ maxRetries: 3, timeoutMs: 90_000 });
  const names = call!.headers.map(([name]) => name);
  expect(names).toContain('X-Timeout');
  expect(names).not.toContain('X-Max-Retries');
});
