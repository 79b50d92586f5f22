import type { CancelResult, LivingCall } from '@asyncfn/queue-core/jetstream';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { callOf } from './call-fixture.ts';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { testToken, tokensOf } from './test-tokens.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway[Symbol.asyncDispose]());

async function cancel(body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await request(`${gateway.url}/system/calls/cancel`, { method: 'POST', body: text, headers });
  return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> };
}

function living(id: string, status: LivingCall['status'] = 'queued'): LivingCall {
  const call = callOf(id);
  const subject = {
    queue: 'default',
    readiness: 'ready',
    function: 'echo',
    callId: id,
    startTime: call.startTime,
  } as const;
  return { queued: { call, subject, sequence: 1, storedAtMs: 0 } as unknown as LivingCall['queued'], status };
}

test('the calls that the filters select are cancelled, each in the way of its status', async () => {
  gateway.bulk.parts = [
    [living('a'), living('b', 'delivered')],
    [],
    [living('c', 'retrying'), living('d', 'scheduled')],
  ];
  gateway.bulk.answer = (id) => (id === 'd' ? undefined : { kind: 'cancelled', call: {} as never });
  const filters = {
    function: 'echo',
    queue: 'q',
    label: 'a=1',
    from: '2026-01-31T12:00:00Z',
    to: '2026-01-31T13:00:00Z',
  };
  expect(await cancel(filters)).toEqual({ status: 202, body: { cancelled: 3, complete: true } });
  expect(gateway.bulk.filters).toMatchObject([
    {
      functions: ['echo'],
      queue: 'q',
      label: 'a=1',
      fromMs: Date.UTC(2026, 0, 31, 12),
      toMs: Date.UTC(2026, 0, 31, 13),
      statuses: new Set(['scheduled', 'queued', 'running', 'retrying']),
    },
  ]);
  // One that has changed its state is cancelled as it is then.
  expect(gateway.bulk.asked).toEqual(['waiting a', 'cancel b', 'waiting c', 'waiting d', 'cancel d']);
});

test('a call that runs is left alone unless running calls are selected', async () => {
  gateway.bulk.parts = [[living('a'), living('b', 'retrying')]];
  gateway.bulk.answer = (id) => (id === 'a' ? undefined : { kind: 'cancelled', call: {} as never });
  expect(await cancel({ status: ['queued', 'retrying'] })).toMatchObject({ body: { cancelled: 1, complete: true } });
  expect(gateway.bulk.asked).toEqual(['unless running a', 'waiting b']);
  gateway.bulk.parts = [[living('c', 'running')]];
  expect(await cancel({ status: 'running' })).toMatchObject({ body: { cancelled: 1, complete: true } });
  expect(gateway.bulk.asked.at(-1)).toBe('cancel c');
});

test('no more than the limit are cancelled, 10,000 by default, and the answer says that some may be left', async () => {
  gateway.bulk.parts = Array.from({ length: 40 }, (_, part) =>
    Array.from({ length: 256 }, (_, index) => living(`call-${part}-${index}`)),
  );
  expect(await cancel({ queue: 'default', limit: 300 })).toMatchObject({ body: { cancelled: 300, complete: false } });
  expect(await cancel({ queue: 'default' })).toMatchObject({ body: { cancelled: 10_000, complete: false } });
  gateway.bulk.parts = gateway.bulk.parts.slice(1);
  expect(await cancel({ queue: 'default' })).toMatchObject({ body: { cancelled: 9_984, complete: true } });
});

test('a gateway that stops answers with what is cancelled by then', async () => {
  gateway.bulk.parts = [[living('a')], [living('b')]];
  gateway.bulk.beforePart = () => gateway.stopping.abort();
  expect(await cancel({ queue: 'default' })).toMatchObject({ status: 202, body: { cancelled: 1, complete: false } });
});

test('a request that was cut is continued by the same one, and by no other', async () => {
  gateway.bulk.parts = [[living('a')], [], [living('b')]];
  gateway.bulk.beforePart = () => gateway.stopping.abort(); // as if the time were up after each part
  expect(await cancel({ queue: 'default' })).toMatchObject({ body: { cancelled: 1, complete: false } });
  expect(await cancel({ queue: 'default', limit: 5 })).toMatchObject({ body: { cancelled: 0, complete: false } });
  expect(await cancel({ queue: 'default' })).toMatchObject({ body: { cancelled: 1, complete: false } });
  expect(await cancel({ queue: 'default' })).toMatchObject({ body: { cancelled: 0, complete: true } });
  expect(gateway.bulk.asked).toEqual(['waiting a', 'waiting b']);
  expect(gateway.bulk.filters).toHaveLength(1);
  await cancel({ queue: 'default' });
  await cancel({ queue: 'default', label: 'a=1' });
  expect(gateway.bulk.filters).toHaveLength(3);
  expect(gateway.bulk.asked.slice(2)).toEqual(['waiting a', 'waiting a']);
});

test('a call without room is left, and one that the broker does not confirm is 503', async () => {
  gateway.bulk.parts = [[living('a'), living('b')]];
  const refuse = (reason: 'overloaded' | 'timeout'): CancelResult => ({ kind: 'refused', reason, detail: 's3cr3t' });
  gateway.bulk.answer = (id) => (id === 'a' ? refuse('overloaded') : { kind: 'cancelled', call: {} as never });
  expect(await cancel({ queue: 'default' })).toMatchObject({ status: 202, body: { cancelled: 1, complete: false } });
  gateway.bulk.answer = () => refuse('timeout');
  const answer = await cancel({ queue: 'default' });
  expect(answer).toMatchObject({ status: 503, body: { code: 'broker_timeout' } });
  expect(JSON.stringify(answer.body)).not.toContain('s3cr3t');
  gateway.calls.available = false;
  expect(await cancel({ queue: 'default' })).toMatchObject({ status: 503, body: { code: 'broker_unavailable' } });
});

describe('what is wrong with a request is said', () => {
  test.each([
    ['', /names no filter/],
    ['{}', /names no filter/],
    ['{"limit":5}', /names no filter/],
    ['[]', /must be a JSON object/],
    ['"echo"', /must be a JSON object/],
    ['{', /not valid JSON/],
    ['{"fucntion":"echo"}', /not known\. It may have function, queue, status, label, from, to, limit/],
    ['{"parent":"a"}', /not known/],
    ['{"function":"a/b"}', /^function must be NAME/],
    ['{"function":["a"]}', /^function is sent more than once/],
    ['{"queue":7}', /^queue must be/],
    ['{"status":[]}', /^status must be one of/],
    ['{"status":"done"}', /^status must be one of/],
    ['{"status":"failed"}', /status names calls that have ended\. Only scheduled, queued, running, retrying/],
    ['{"status":["queued","expired"]}', /status names calls that have ended/],
    ['{"label":"a b"}', /^label must be/],
    ['{"from":"yesterday"}', /^from must be an RFC 3339/],
    ['{"from":"2026-01-31T13:00:00Z","to":"2026-01-31T12:00:00Z"}', /^from is later than to/],
    ['{"queue":"q","limit":0}', /^limit must be a whole number from 1 to 10000/],
    ['{"queue":"q","limit":"5"}', /^limit must be/],
    ['{"queue":"q","limit":10001}', /^limit must be/],
  ])('%s', async (body, detail) => {
    const answer = await cancel(body);
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'invalid_parameter', detail: expect.stringMatching(detail) },
    });
    expect(gateway.bulk.filters).toEqual([]);
  });
});

test('it is for operators alone, and the path is not taken from the calls', async () => {
  const erased = await request(`${gateway.url}/system/calls/cancel`, { method: 'DELETE' });
  expect(erased.statusCode).toBe(404);
  const read = testToken('read', { scopes: ['read', 'invoke'] });
  await gateway[Symbol.asyncDispose]();
  gateway = await startTestGateway({ tokens: () => tokensOf([read]) });
  expect(await cancel({ queue: 'q' }, { authorization: read.bearer })).toMatchObject({ status: 403 });
});
