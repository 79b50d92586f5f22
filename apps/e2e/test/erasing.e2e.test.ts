import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import {
  type CallbackReceiver,
  eventually,
  gate,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

let stack: Stack;
let client: ApiClient;
let calls: CallClient;
let fine: TestFunction;
let broken: TestFunction;
let inbox: CallbackReceiver;

beforeAll(async () => {
  fine = await startTestFunction();
  broken = await startTestFunction({ handler: ({ body }, response) => void response.writeHead(400).end(body) });
  inbox = await startCallbackReceiver({ respond: status(500) });
  stack = await startStack({
    functions: { fine: fine.url, broken: broken.url },
    // The second delivery of a callback waits for as long as the test takes.
    workerEnv: { CALLBACK_RETRY_SCHEDULE: '1h,1h' },
  });
  client = new ApiClient(stack.gateway.url);
  calls = new CallClient(stack.gateway.url);
});

afterAll(async () => {
  await Promise.all([client, calls, stack, inbox, fine, broken].map((part) => part[Symbol.asyncDispose]()));
});

/** A call that names a person in every place that a caller can fill. */
function about(person: string) {
  return { path: `/${person}`, body: person, headers: { 'X-Label': person, 'X-Person': person } };
}

async function erase(callId: string): Promise<{ status: number; code: unknown }> {
  const answer = await fetch(`${stack.gateway.url}/system/calls/${callId}`, { method: 'DELETE' });
  const text = await answer.text();
  return { status: answer.status, code: text === '' ? undefined : (JSON.parse(text) as { code: string }).code };
}

/** As soon as it may be erased: the end of a call is shown before its message has left the queue. */
function eraseEnded(callId: string): Promise<{ status: number; code: unknown }> {
  return eventually(async () => {
    const erased = await erase(callId);
    return erased.code !== 'not_ended' && erased;
  });
}

/** Everything that the API shows of a call, by status. */
async function traces(callId: string): Promise<number[]> {
  const paths = ['', '/result', '/attempts'].map((path) => `/async-function/${callId}${path}`);
  const letters = ['', '/attempts'].map((path) => `/system/dead-letters/${callId}${path}`);
  return Promise.all([...paths, ...letters].map(async (path) => (await fetch(`${stack.gateway.url}${path}`)).status));
}

const nothing = [404, 404, 404, 404, 404];

/** The streams that contain the name of the person. */
async function streamsWith(person: string): Promise<string[]> {
  const connection = await connect({ servers: stack.nats.url });
  try {
    const manager = await jetstreamManager(connection);
    const found: string[] = [];
    for await (const { config, state } of manager.streams.list()) {
      for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
        const message = await manager.streams.getMessage(config.name, { seq }).catch(() => null);
        if (message !== null && `${message.string()} ${[...message.header].join(' ')}`.includes(person)) {
          found.push(config.name);
        }
      }
    }
    return found;
  } finally {
    await connection.close();
  }
}

test('nothing of a call that has ended is kept, and a second request finds nothing', async () => {
  const callId = await client.accept('fine', about('john-doe'));
  await calls.untilEnded(callId);
  expect(await streamsWith('john-doe')).toContain('OUTCOMES');
  expect(await eraseEnded(callId)).toEqual({ status: 204, code: undefined });
  expect(await traces(callId)).toEqual(nothing);
  expect(await erase(callId)).toEqual({ status: 404, code: 'call_not_found' });
  expect(await streamsWith('john-doe')).toEqual([]);
  // The record that such a call has ended stays.
  expect(await stack.untilAudited()).toBe(0);
});

test('a failed call is erased with its dead letter, and cannot be replayed', async () => {
  const callId = await client.accept('broken', about('jane-doe'));
  await calls.untilEnded(callId);
  await eventually(async () => (await traces(callId))[3] === 200);
  expect((await eraseEnded(callId)).status).toBe(204);
  expect(await traces(callId)).toEqual(nothing);
  expect(await streamsWith('jane-doe')).toEqual([]);
  const replay = await fetch(`${stack.gateway.url}/system/dead-letters/${callId}/replay`, { method: 'POST' });
  expect(replay.status).toBe(404);
});

test('a callback that waits for its next delivery is erased with its call', async () => {
  const callId = await client.accept('fine', { ...about('jim-doe'), callbackUrl: inbox.url });
  await eventually(async () => {
    const { callback } = await calls.state(callId);
    return (callback as { attempts: number } | undefined)?.attempts === 1;
  });
  expect((await eraseEnded(callId)).status).toBe(204);
  expect(await traces(callId)).toEqual(nothing);
  expect(await streamsWith('jim-doe')).toEqual([]);
  expect(inbox.byCallId(callId)).toHaveLength(1);
});

test('a call that has not ended, or whose chain has not, is not erased', async () => {
  const held = gate();
  await using slow = await startTestFunction({ handler: held.handler });
  const put = await fetch(`${stack.gateway.url}/system/functions/slow`, {
    method: 'PUT',
    body: JSON.stringify({ url: slow.url }),
  });
  expect(put.status).toBe(201);
  const delayed = await client.accept('fine', { headers: { 'X-Delay': '1h' } });
  expect(await erase(delayed)).toEqual({ status: 409, code: 'not_ended' });
  expect((await calls.ask(delayed, '', 'DELETE')).status).toBe(202);
  expect((await eraseEnded(delayed)).status).toBe(204);
  const first = await client.accept('fine', { headers: { 'X-Then': 'slow' } });
  await slow.waitForInvocations(1);
  expect(await calls.state(first)).toMatchObject({ status: 'succeeded' });
  expect(await erase(first)).toEqual({ status: 409, code: 'not_ended' });
  held.open();
  await calls.untilEnded(String((await calls.state(first))['next']));
  expect((await eraseEnded(first)).status).toBe(204);
});

test('a call of a batch is erased, and the batch still counts it', async () => {
  const answer = await fetch(`${stack.gateway.url}/async-batch`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ calls: [{ function: 'fine', body: 'joan-doe' }, { function: 'fine' }] }),
  });
  const { batchId, calls: items } = (await answer.json()) as { batchId: string; calls: { callId: string }[] };
  const batch = `${stack.gateway.url}/async-batch/${batchId}`;
  await fetch(`${batch}?wait=30s`);
  expect((await eraseEnded(items[0]!.callId)).status).toBe(204);
  expect(await (await fetch(batch)).json()).toMatchObject({ total: 2, open: 0, succeeded: 2 });
  const results = (await (await fetch(`${batch}/results`)).text()).trim().split('\n');
  expect(results.map((line) => JSON.parse(line) as object)).toMatchObject([
    { callId: items[0]!.callId, status: 'unknown' },
    { status: 'succeeded' },
  ]);
});

test('an unknown call, and an invalid id, are not found', async () => {
  expect(await erase('nothing-of-this-name')).toEqual({ status: 404, code: 'call_not_found' });
  expect(await erase('a.b')).toEqual({ status: 400, code: 'invalid_parameter' });
});
