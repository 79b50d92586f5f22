import type { Stack } from '@asyncfn/stack';
import { eventually, gate, startCallbackReceiver, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startStack } from './harness/stack.ts';

let stack: Stack;
let one: TestFunction;
let two: TestFunction;

interface BatchAnswer {
  readonly batchId: string;
  readonly accepted: number;
  readonly calls: { readonly callId?: string; readonly status: string }[];
}

interface BatchView {
  readonly batchId: string;
  readonly total: number;
  readonly open: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly endedAt?: string;
  readonly code?: string;
}

beforeAll(async () => {
  [one, two] = await Promise.all([startTestFunction(), startTestFunction()]);
  stack = await startStack({
    functions: { one: one.url, two: { url: two.url, queue: 'second' } },
    groups: { both: ['one', 'two'] },
  });
});

beforeEach(() => {
  for (const each of [one, two]) {
    each.handler = ({ body }, response) => void response.setHeader('Content-Type', 'text/x').end(body);
  }
});

afterAll(async () => {
  await Promise.all([stack, one, two].map((part) => part[Symbol.asyncDispose]()));
});

async function post(path: string, body: string, headers: Record<string, string> = {}): Promise<BatchAnswer> {
  const response = await fetch(`${stack.gateway.url}${path}`, { method: 'POST', body, headers });
  const text = await response.text();
  expect(response.status, text).toBe(202);
  return JSON.parse(text) as BatchAnswer;
}

function send(calls: readonly object[], more: object = {}): Promise<BatchAnswer> {
  return post('/async-batch', JSON.stringify({ calls, ...more }), { 'Content-Type': 'application/json' });
}

async function get(path: string): Promise<{ status: number; view: BatchView }> {
  const response = await fetch(`${stack.gateway.url}/async-batch/${path}`);
  return { status: response.status, view: (await response.json()) as BatchView };
}

async function resultsOf(batchId: string, query = '') {
  const response = await fetch(`${stack.gateway.url}/async-batch/${batchId}/results${query}`);
  const lines = (await response.text()).split('\n').filter((line) => line !== '');
  return {
    next: response.headers.get('x-next-cursor'),
    rows: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

const openBatches = () => stack.worker.metric('queue_worker_batches_open');

describe('a batch', () => {
  test('has an end, its results in order, and one callback', async () => {
    await using inbox = await startCallbackReceiver();
    one.handler = ({ body }, response) =>
      void response.writeHead(body.toString() === 'bad' ? 400 : 200, { 'Content-Type': 'text/x' }).end(body);
    const calls = [
      { function: 'one', body: 'ü' },
      { function: 'unknown' },
      { function: 'two', bodyBase64: '/w==' },
      { function: 'one', body: 'bad' },
    ];
    const document = JSON.stringify({ calls, callbackUrl: inbox.url });
    const forReceiver = { 'Content-Type': 'application/json', 'X-Callback-Forward-Authorization': 'Bearer r' };
    const { batchId, calls: answers } = await post('/async-batch', document, forReceiver);
    const { status, view } = await get(`${batchId}?wait=30s`);
    expect(status).toBe(200);
    expect(view).toMatchObject({ batchId, total: 3, open: 0, succeeded: 2, failed: 1, cancelled: 0 });
    expect(view.endedAt).toBeDefined();
    const [callback] = await eventually(() => inbox.callbacks.length > 0 && inbox.callbacks);
    expect(JSON.parse(String(callback?.body))).toEqual(view);
    expect(callback?.headers).toMatchObject({ 'x-batch-id': batchId, authorization: 'Bearer r' });
    const { rows, next } = await resultsOf(batchId);
    expect(next).toBeNull();
    expect(rows).toEqual([
      expect.objectContaining({
        index: 0,
        callId: answers[0]?.callId,
        status: 'succeeded',
        contentType: 'text/x',
        body: 'ü',
      }),
      expect.objectContaining({ index: 2, function: 'two', functionStatus: 200, bodyBase64: '/w==' }),
      expect.objectContaining({ index: 3, status: 'failed', functionStatus: 400, body: 'bad' }),
    ]);
    const [first, second] = [await resultsOf(batchId, '?limit=2'), await resultsOf(batchId, '?cursor=3&limit=2')];
    expect([first.next, second.next]).toEqual(['3', null]);
    expect([...first.rows, ...second.rows]).toEqual(rows);
    const call = await (await fetch(`${stack.gateway.url}/async-function/${answers[0]?.callId}`)).json();
    expect(call).toMatchObject({ batchId });
    expect(inbox.callbacks).toHaveLength(1);
  });

  test('calls the function that its callback URL leads to once, even if the callback is delivered twice', async () => {
    const callbackUrl = `${stack.gateway.url}/async-function/two/fan-in`;
    const { batchId } = await send([{ function: 'one' }, { function: 'one' }], { callbackUrl });
    const fanIn = () => two.invocations.filter(({ url }) => url === '/fan-in');
    const [invocation] = await eventually(() => fanIn().length > 0 && fanIn());
    const { view } = await get(batchId);
    expect(JSON.parse(String(invocation?.body))).toEqual(view);
    expect(invocation?.headers).toMatchObject({ 'x-batch-id': batchId, 'x-chain-depth': '1' });
    const { startTime } = one.invocations
      .map(({ headers }) => ({ startTime: String(headers['x-start-time']) }))
      .at(-1)!;
    const again = await fetch(callbackUrl, {
      method: 'POST',
      headers: { 'X-Batch-Id': batchId, 'X-Start-Time': startTime, 'X-Chain-Depth': '1' },
      body: JSON.stringify(view),
    });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([202, 'true']);
    expect(again.headers.get('x-call-id')).toBe(invocation?.headers['x-call-id']);
    expect(fanIn()).toHaveLength(1);
  });

  test('reports its progress as events', async () => {
    const held = gate();
    onTestFinished(() => held.open());
    two.handler = held.handler;
    const { batchId } = await send([{ function: 'one' }, { function: 'two' }]);
    const response = await fetch(`${stack.gateway.url}/async-batch/${batchId}`, {
      headers: { Accept: 'text/event-stream' },
    });
    const views: BatchView[] = [];
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      const found = [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, data = '']) => JSON.parse(data) as BatchView);
      views.splice(0, views.length, ...found);
      if (views.some(({ succeeded }) => succeeded === 1)) {
        held.open();
      }
    }
    expect(views.at(-1)).toMatchObject({ open: 0, succeeded: 2 });
    expect(views.length).toBeGreaterThan(1);
  });

  test('is cancelled as far as it is open, and its callback says so', async () => {
    await using inbox = await startCallbackReceiver();
    await using failures = await startCallbackReceiver();
    const held = gate();
    onTestFinished(() => held.open());
    two.handler = held.handler;
    const calls = [{ function: 'one' }, { function: 'two' }, { function: 'one', headers: { 'X-Delay': '1h' } }];
    const { batchId } = await send(calls, { callbackUrl: inbox.url, failureCallbackUrl: failures.url });
    await eventually(async () => (await get(batchId)).view.succeeded === 1);
    await eventually(async () => (await openBatches()) === 1);
    const url = `${stack.gateway.url}/async-batch/${batchId}`;
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(202);
    expect((await get(`${batchId}?wait=30s`)).view).toMatchObject({ open: 0, succeeded: 1, cancelled: 2 });
    await eventually(async () => (await openBatches()) === 0);
    const [callback] = await eventually(() => failures.callbacks.length > 0 && failures.callbacks);
    expect(JSON.parse(String(callback?.body))).toMatchObject({ batchId, cancelled: 2 });
    expect(inbox.callbacks).toHaveLength(0);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(409);
  });

  test('that is not known is 404', async () => {
    expect(await get('nothing')).toMatchObject({ status: 404, view: { code: 'batch_not_found' } });
  });
});

describe('a group', () => {
  test('is a batch of one body, path and headers for each function', async () => {
    const { batchId, accepted } = await post('/async-function/both/a?b=c', 'order', { 'X-Own': '1' });
    expect(accepted).toBe(2);
    expect((await get(`${batchId}?wait=30s`)).view).toMatchObject({ total: 2, succeeded: 2 });
    for (const fn of [one, two]) {
      const invocation = fn.invocations.find(({ url }) => url === '/a?b=c');
      expect(invocation?.body.toString()).toBe('order');
      expect(invocation?.headers).toMatchObject({ 'x-own': '1' });
    }
  });

  test('gets the callback of a call as one batch, even if it is delivered twice', async () => {
    const headers = { 'X-Function-Status': '200', 'X-Call-Id': 'parent-1', 'X-Start-Time': '17', 'X-Replays': '0' };
    const first = await post('/async-function/both/fan-out', 'result', headers);
    const second = await post('/async-function/both/fan-out', 'result', headers);
    expect(second).toEqual(first);
    expect((await get(`${first.batchId}?wait=30s`)).view).toMatchObject({ total: 2, succeeded: 2 });
    expect(one.invocations.filter(({ url }) => url === '/fan-out')).toHaveLength(1);
    const call = await (await fetch(`${stack.gateway.url}/async-function/${first.calls[0]?.callId}`)).json();
    expect(call).toMatchObject({ parentId: 'parent-1', batchId: first.batchId });
  });

  test('keeps its name: no function can be registered under it', async () => {
    const response = await fetch(`${stack.gateway.url}/system/functions/both`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ url: one.url }),
    });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, 'invalid_function']);
  });

  test('does not let callers choose ids for its calls', async () => {
    const response = await fetch(`${stack.gateway.url}/async-function/both`, {
      method: 'POST',
      headers: { 'X-Call-Id': 'mine' },
    });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, 'invalid_call_id']);
  });
});
