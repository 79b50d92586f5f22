import { QueueError } from '@asyncfn/queue-core';
import type { QueueState } from '@asyncfn/queue-core/jetstream';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway[Symbol.asyncDispose]());

async function get(path: string) {
  const { statusCode, headers, body } = await request(`${gateway.url}/system/${path}`);
  return {
    status: statusCode,
    retryAfter: headers['retry-after'],
    body: (await body.json()) as Record<string, unknown>,
  };
}

function state(queue: string, changes: Partial<QueueState> = {}): QueueState {
  const lane = { function: 'echo', pending: 3, inFlight: 1, paused: true, deliveredSequence: 1 };
  const oldestAtMs = Date.now() - 60_000;
  return {
    queue,
    depth: 3,
    scheduled: 2,
    inFlight: 1,
    oldestAtMs,
    bytes: 1000,
    replicas: 3,
    lanes: [lane],
    ...changes,
  };
}

describe('the queues', () => {
  test('are listed with their backlog, limits, rates and replicas', async () => {
    gateway.queues.states.push(state('default', { oldestAtMs: undefined }), state('images'));
    const { status, body } = await get('queues');
    expect(status).toBe(200);
    const common = { depth: 3, scheduled: 2, inFlight: 1, bytes: 1000, rates: { inPerSecond: 2.5, outPerSecond: 2 } };
    expect(body).toEqual({
      queues: [
        {
          ...common,
          queue: 'default',
          oldestAgeSeconds: 0,
          maxBytes: null,
          durability: { level: 'quorum', storage: 'file', replicas: 3 },
        },
        {
          ...common,
          queue: 'images',
          oldestAgeSeconds: expect.closeTo(60, 0),
          maxBytes: 4096,
          durability: expect.anything(),
        },
      ],
    });
  });

  test('are shown one by one with their functions', async () => {
    gateway.queues.states.push(state('images'));
    expect((await get('queues/images')).body).toMatchObject({
      queue: 'images',
      functions: [{ function: 'echo', depth: 3, inFlight: 1, paused: true }],
    });
    expect(await get('queues/none')).toMatchObject({ status: 404, body: { code: 'unknown_queue' } });
    expect(await get('queues/a%20b')).toMatchObject({ status: 400, body: { code: 'invalid_parameter' } });
  });

  test('are not known while the broker is away', async () => {
    gateway.queues.trouble = new QueueError('broker', 'no answer');
    for (const path of ['queues', 'queues/default', 'scaling/echo']) {
      expect(await get(path), path).toMatchObject({
        status: 503,
        retryAfter: expect.any(String),
        body: { code: 'broker_unavailable' },
      });
    }
  });
});

describe('the scaling signal of a function', () => {
  test('has the backlog, the calls in flight and the age of the oldest', async () => {
    gateway.queues.loads.set('echo', { pending: 7, inFlight: 2, oldestAtMs: Date.now() - 1_500 });
    const { status, body } = await get('scaling/echo');
    expect([status, body]).toEqual([200, { pending: 7, inFlight: 2, oldestAgeSeconds: expect.closeTo(1.5, 0) }]);
  });

  test('is zero for a function without traffic, and never less', async () => {
    expect((await get('scaling/echo')).body).toEqual({ pending: 0, inFlight: 0, oldestAgeSeconds: 0 });
    gateway.queues.loads.set('echo', { pending: 1, inFlight: 0, oldestAtMs: Date.now() + 60_000 });
    expect((await get('scaling/echo')).body).toMatchObject({ oldestAgeSeconds: 0 });
  });

  test('of an unregistered function is 404', async () => {
    expect(await get('scaling/unknown')).toMatchObject({ status: 404, body: { code: 'unknown_function' } });
  });
});

describe('a call for which there is no room', () => {
  const call = async () => {
    const response = await request(`${gateway.url}/async-function/echo`, { method: 'POST', body: 'x' });
    const { code } = (await response.body.json()) as { code?: string };
    return { status: response.statusCode, code, retryAfter: Number(response.headers['retry-after'] ?? 0) };
  };

  test('is 503 if the queue is full, before its body is read', async () => {
    gateway.queue.refusalFor = () => 'queue_full';
    expect(await call()).toEqual({ status: 503, code: 'queue_full', retryAfter: 10 });
    expect(gateway.queue.accepted).toEqual([]);
  });

  test('is 429 if the backlog of its function is at its limit', async () => {
    gateway.queue.refusalFor = ({ name }) => (name === 'echo' ? 'too_many_pending' : undefined);
    expect(await call()).toEqual({ status: 429, code: 'too_many_pending', retryAfter: 5 });
  });
});
