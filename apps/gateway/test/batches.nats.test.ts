import { randomUUID } from 'node:crypto';
import type {} from '@asyncfn/nats-server/vitest';
import { eventually } from '@asyncfn/testkit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { manager, type RunningGateway, startReadyGateway, storedCalls } from './running-gateway.ts';

let running: RunningGateway;

beforeAll(async () => {
  running = await startReadyGateway({ MAX_BATCH_CALLS: '600', MAX_BATCH_BYTES: '100KiB' });
});

afterAll(() => running[Symbol.asyncDispose]());

interface Answer {
  readonly batchId: string;
  readonly accepted: number;
  readonly refused: number;
  readonly code?: string;
  readonly calls: { callId?: string; status: string; problem?: { code: string } }[];
}

async function send(body: string, headers: Record<string, string> = {}, apiUrl = running.apiUrl) {
  const response = await fetch(`${apiUrl}/async-batch`, {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
  return { status: response.status, headers: response.headers, answer: (await response.json()) as Answer };
}

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const otherTraceparent = '00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const lines = { 'Content-Type': 'application/x-ndjson' };

async function storedNow() {
  await using nats = await manager(inject('natsUrl'));
  return await storedCalls(nats.streams, running.queue);
}

/** The ids of the calls that wait for their flow keys, in the order of the stream. */
async function waitingIn(queue: string): Promise<string[]> {
  await using nats = await manager(inject('natsUrl'));
  const ids: string[] = [];
  for (let next = 1; ; ) {
    const query = { seq: next, next_by_subj: `flows.${queue}.turn.>` };
    const message = await nats.streams.streams.getMessage(`CALLS_${queue}`, query);
    if (message === null) {
      return ids;
    }
    next = message.seq + 1;
    ids.push(message.subject.split('.')[4] ?? '');
  }
}

describe('a batch', () => {
  test('stores its calls as single requests would, and answers for each', async () => {
    const calls = [
      { function: running.name, path: '/a?b=1', headers: { 'X-Own': '1', 'X-Call-Id': randomUUID() }, body: 'ü' },
      { function: 'missing', body: 'x' },
      { function: running.name, headers: { 'X-Delay': '5m' }, json: { a: 1 } },
      { function: running.name, bodyBase64: 'AAE=' },
    ];
    const { status, headers, answer } = await send(JSON.stringify({ calls }));
    expect(status).toBe(202);
    const { batchId } = answer;
    expect(headers.get('location')).toBe(`/async-batch/${batchId}`);
    expect(answer).toEqual({
      batchId,
      accepted: 3,
      refused: 1,
      calls: [
        { callId: calls[0]?.headers?.['X-Call-Id' as never], status: 'queued' },
        { status: 'refused', problem: expect.objectContaining({ code: 'unknown_function', status: 404, index: 1 }) },
        { callId: `${batchId}-2`, status: 'scheduled' },
        { callId: `${batchId}-3`, status: 'queued' },
      ],
    });
    const stored = (await storedNow()).filter(({ batch }) => batch?.id === batchId);
    const byIndex = new Map(stored.map((call) => [call.batch?.index, call]));
    expect(new Set(byIndex.keys())).toEqual(new Set([0, 2, 3]));
    expect(byIndex.get(0)).toMatchObject({
      path: '/a',
      query: 'b=1',
      headers: expect.arrayContaining([['X-Own', '1']]),
    });
    expect(Buffer.from(byIndex.get(0)!.body).toString()).toBe('ü');
    expect(byIndex.get(2)?.headers).toContainEqual(['Content-Type', 'application/json']);
    expect([...byIndex.get(3)!.body]).toEqual([0, 1]);
  });

  test('stores the calls of a flow key in its order, whatever is checked of each', async () => {
    await using other = await startReadyGateway();
    const flow = { 'X-Flow-Key': 'order' };
    const taken = randomUUID();
    // No worker runs it, so those of the batch wait.
    const first = await fetch(other.url, { method: 'POST', headers: { ...flow, 'X-Call-Id': taken } });
    expect(first.status).toBe(202);
    await eventually(async () => (await waitingIn(other.queue)).length === 0);
    const checks = [
      () => ({ 'X-Call-Id': randomUUID() }),
      () => ({}),
      () => ({ 'X-Call-Id': randomUUID(), 'X-Expires-In': '1h' }),
      () => ({ 'X-Call-Id': taken }),
      () => ({ 'X-Expires-In': '1h' }),
    ];
    const calls = Array.from({ length: 60 }, (_, index) => ({
      function: other.name,
      headers: { ...flow, ...checks[index % checks.length]?.() },
    }));
    const { answer } = await send(JSON.stringify({ calls }), {}, other.apiUrl);
    expect(answer).toMatchObject({ accepted: 48, refused: 12 });
    expect(await waitingIn(other.queue)).toEqual(answer.calls.flatMap(({ callId }) => callId ?? []));
  });

  test('in lines is stored up to the limit, and the lines beyond are refused', async () => {
    const line = JSON.stringify({ function: running.name, body: 'of a line' });
    const { status, answer } = await send(Array.from({ length: 602 }, () => line).join('\n'), lines);
    expect(status).toBe(202);
    expect(answer).toMatchObject({ accepted: 600, refused: 2 });
    expect(answer.calls[599]).toEqual({ callId: `${answer.batchId}-599`, status: 'queued' });
    expect(answer.calls[600]).toMatchObject({ status: 'refused', problem: { code: 'too_many_calls' } });
    expect((await storedNow()).filter(({ batch }) => batch?.id === answer.batchId)).toHaveLength(600);
  });

  test('in lines of unknown length is stored as far as it fits, and the line that does not is refused', async () => {
    const refusals = async () => {
      const metrics = await (await fetch(`${running.opsUrl}/metrics`)).text();
      return Number(/^gateway_calls_refused_total\{code="body_too_large"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
    };
    const before = await refusals();
    const line = `${JSON.stringify({ function: running.name, body: 'x'.repeat(10_000) })}\n`;
    const key = randomUUID();
    const stream = async () => {
      const response = await fetch(`${running.apiUrl}/async-batch`, {
        method: 'POST',
        headers: { ...lines, 'Idempotency-Key': key },
        body: new Blob(Array.from({ length: 12 }, () => line)).stream(),
        duplex: 'half',
      });
      return { status: response.status, answer: (await response.json()) as Answer };
    };
    const first = await stream();
    expect(first).toMatchObject({ status: 202, answer: { accepted: 10, refused: 1 } });
    expect(first.answer.calls[10]).toMatchObject({
      status: 'refused',
      problem: { code: 'body_too_large', status: 413, index: 10 },
    });
    expect(await refusals()).toBe(before + 1);
    expect(await stream()).toEqual(first);
    const declared = await send(line.repeat(12), lines);
    expect(declared).toMatchObject({ status: 413, answer: { code: 'body_too_large' } });
  });

  test('without any accepted call answers with its first problem', async () => {
    expect(await send('{"calls":[{"function":"missing"},{}]}')).toMatchObject({
      status: 404,
      answer: { code: 'unknown_function', index: 0, calls: [{ status: 'refused' }, { status: 'refused' }] },
    });
    expect(await send('{"calls":[]}')).toMatchObject({ status: 400, answer: { code: 'invalid_batch' } });
    expect(await send('{"calls":[')).toMatchObject({ status: 400, answer: { code: 'invalid_batch' } });
    expect(await send('x', { 'Content-Type': 'text/plain' })).toMatchObject({ status: 415 });
  });

  test('of too many calls in a document stores nothing', async () => {
    const before = (await storedNow()).length;
    const calls = Array.from({ length: 601 }, () => ({ function: running.name }));
    expect(await send(JSON.stringify({ calls }))).toMatchObject({ status: 413, answer: { code: 'too_many_calls' } });
    expect(await storedNow()).toHaveLength(before);
  });

  test('that is sent again with its key gets the same answer, and another body is refused', async () => {
    const key = { ...lines, 'Idempotency-Key': randomUUID() };
    const line = JSON.stringify({ function: running.name, body: 'once' });
    const first = await send(`${line}\n{}\n${line}`, key);
    const before = (await storedNow()).length;
    const second = await send(`${line}\n{}\n${line}`, key);
    expect(second.answer).toEqual(first.answer);
    expect([first.headers.get('idempotency-replayed'), second.headers.get('idempotency-replayed')]).toEqual([
      null,
      'true',
    ]);
    expect(await send(`${line}\n${line}`, key)).toMatchObject({
      status: 422,
      answer: { code: 'idempotency_key_reused' },
    });
    expect(await storedNow()).toHaveLength(before);
  });

  test('that a function sends belongs to the chain of its call', async () => {
    const ofFunction = { 'X-Call-Id': 'outer', 'X-Start-Time': '17', 'X-Retry': '0', traceparent };
    const own = { function: running.name, headers: { traceparent: otherTraceparent } };
    const { answer } = await send(JSON.stringify({ calls: [{ function: running.name }, own] }), {
      ...ofFunction,
      'X-Chain-Depth': '3',
    });
    const stored = (await storedNow()).filter(({ batch }) => batch?.id === answer.batchId);
    expect(stored.map(({ parentId, chainDepth }) => ({ parentId, chainDepth }))).toEqual([
      { parentId: 'outer', chainDepth: 4 },
      { parentId: 'outer', chainDepth: 4 },
    ]);
    const traces = stored.map(({ headers }) => headers.filter(([name]) => name === 'traceparent'));
    expect(new Set(traces.map(([first]) => first?.[1]))).toEqual(new Set([traceparent, otherTraceparent]));
    expect(traces.flat()).toHaveLength(2);
    const tooDeep = await send('{"calls":[{"function":"x"}]}', { ...ofFunction, 'X-Chain-Depth': '32' });
    expect(tooDeep).toMatchObject({ status: 508, answer: { code: 'chain_too_deep' } });
    const chosen = await send('{"calls":[{"function":"x"}]}', { 'X-Call-Id': 'mine' });
    expect(chosen).toMatchObject({ status: 400, answer: { code: 'invalid_call_id' } });
  });

  test('that is the callback of a call is stored once, even if it is delivered twice', async () => {
    const callback = {
      'X-Call-Id': 'splitter',
      'X-Start-Time': '17',
      'X-Function-Status': '200',
      'X-Chain-Depth': '1',
    };
    const document = JSON.stringify({ calls: [{ function: running.name }, { function: running.name }] });
    const [first, second] = [await send(document, callback), await send(document, callback)];
    expect([first.status, second.headers.get('idempotency-replayed')]).toEqual([202, 'true']);
    expect(second.answer).toEqual(first.answer);
    const stored = (await storedNow()).filter(({ parentId }) => parentId === 'splitter');
    expect(stored.map(({ batch }) => batch?.id)).toEqual([first.answer.batchId, first.answer.batchId]);
  });

  test('without any accepted call may be sent again with its key', async () => {
    const key = { ...lines, 'Idempotency-Key': randomUUID() };
    expect((await send('{"function":"missing"}', key)).status).toBe(404);
    const line = JSON.stringify({ function: running.name, body: 'now' });
    expect(await send(line, key)).toMatchObject({ status: 202, answer: { accepted: 1 } });
  });
});
