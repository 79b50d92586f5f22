import { ApiClient, CallClient, type CallState, type Stack } from '@asyncfn/stack';
import {
  type CallbackReceiver,
  eventually,
  gate,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const labels = ['customer=7', 'nightly'];
const headers = { 'X-Label': labels.join(', ') };

let stack: Stack;
let client: ApiClient;
let calls: CallClient;
let fine: TestFunction;
let broken: TestFunction;
let inbox: CallbackReceiver;

beforeAll(async () => {
  [fine, broken] = await Promise.all([startTestFunction(), startTestFunction({ handler: status(400) })]);
  inbox = await startCallbackReceiver();
  stack = await startStack({
    functions: { fine: fine.url, broken: broken.url },
    groups: { both: ['fine', 'broken'] },
  });
  client = new ApiClient(stack.gateway.url);
  calls = new CallClient(stack.gateway.url);
});

afterAll(async () => {
  await Promise.all([client, calls, stack, inbox, fine, broken].map((part) => part[Symbol.asyncDispose]()));
});

interface Letter {
  readonly callId: string;
  readonly labels?: readonly string[];
}

/** The dead letter of a call, shown alone and in the list. */
async function letterOf(callId: string): Promise<[Letter, Letter | undefined]> {
  const all = `${stack.gateway.url}/system/dead-letters`;
  const shown = await eventually(async () => {
    const answer = await fetch(`${all}/${callId}`);
    return answer.ok ? ((await answer.json()) as Letter) : undefined;
  });
  const { deadLetters } = (await (await fetch(all)).json()) as { deadLetters: Letter[] };
  return [shown, deadLetters.find((letter) => letter.callId === callId)];
}

test('labels are in the state of a call, waiting and ended, and the function does not get them', async () => {
  const waiting = await client.accept('fine', { headers: { ...headers, 'X-Delay': '1h' } });
  expect(await calls.state(waiting)).toMatchObject({ status: 'scheduled', labels });
  expect((await calls.ask(waiting, '', 'DELETE')).body).toMatchObject({ status: 'cancelled', labels });
  expect(await calls.state(waiting)).toMatchObject({ status: 'cancelled', labels });

  const callId = await client.accept('fine', { headers, callbackUrl: inbox.url });
  expect(await calls.untilEnded(callId)).toMatchObject({ status: 'succeeded', labels });
  const callback = await eventually(() => inbox.byCallId(callId)[0]);
  const seen = [fine.byCallId(callId)[0]?.rawHeaders, callback.rawHeaders];
  expect(JSON.stringify(seen)).not.toMatch(/x-label|customer/i);
  expect(await calls.untilEnded(await client.accept('fine'))).not.toHaveProperty('labels');
});

test('a running call is cancelled with its labels', async () => {
  const held = gate();
  await using slow = await startTestFunction({ handler: held.handler });
  const registered = await fetch(`${stack.gateway.url}/system/functions/slow`, {
    method: 'PUT',
    body: JSON.stringify({ url: slow.url }),
  });
  expect(registered.status).toBe(201);
  const callId = await client.accept('slow', { headers });
  expect(await calls.until(callId, 'running')).toMatchObject({ labels });
  expect((await calls.ask(callId, '', 'DELETE')).body).toMatchObject({ labels });
  held.open();
  expect(await calls.state(callId)).toMatchObject({ status: 'cancelled', labels });
});

test('labels are in dead letters and in their list, and a replay keeps them', async () => {
  const callId = await client.accept('broken', { headers });
  expect(await calls.untilEnded(callId)).toMatchObject({ status: 'failed', labels });
  for (const letter of await letterOf(callId)) {
    expect(letter).toMatchObject({ callId, labels });
  }
  const unlabelled = await client.accept('broken');
  await calls.untilEnded(unlabelled);
  expect((await letterOf(unlabelled))[1]).not.toHaveProperty('labels');

  broken.handler = status(200);
  const replay = await fetch(`${stack.gateway.url}/system/dead-letters/${callId}/replay`, { method: 'POST' });
  expect(replay.status).toBe(202);
  expect(await calls.until(callId, 'succeeded')).toMatchObject({ replays: 1, labels });
  broken.handler = status(400);
});

test('the dead letter of a callback has the labels of its call', async () => {
  inbox.handler = status(400, { headers: { 'X-Non-Retryable': 'true' } });
  const callId = await client.accept('fine', { headers, callbackUrl: inbox.url });
  for (const letter of await letterOf(callId)) {
    expect(letter).toMatchObject({ callId, kind: 'callback', labels });
  }
});

test('the steps of a chain inherit the labels of its first call', async () => {
  const first = await client.accept('fine', { headers: { ...headers, 'X-Then': 'fine/two, broken' } });
  for (let at: string | undefined = first, step = 0; at !== undefined; step++) {
    const state: CallState = await calls.untilEnded(at);
    expect(state).toMatchObject({ function: step < 2 ? 'fine' : 'broken', labels });
    at = state['next'] as string | undefined;
  }
});

test('each call of a batch has its own labels, and those of a group have the same', async () => {
  const items = [
    { function: 'fine', headers },
    { function: 'fine' },
    { function: 'fine', headers: { 'X-Label': '!' } },
  ];
  const batch = await fetch(`${stack.gateway.url}/async-batch`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ calls: items }),
  });
  const { calls: answers } = (await batch.json()) as { calls: { callId: string; problem?: { code: string } }[] };
  expect(answers.map(({ problem }) => problem?.code)).toEqual([undefined, undefined, 'invalid_label']);
  expect(await calls.untilEnded(answers[0]!.callId)).toMatchObject({ labels });
  expect(await calls.untilEnded(answers[1]!.callId)).not.toHaveProperty('labels');

  const group = await fetch(`${stack.gateway.url}/async-function/both`, { method: 'POST', headers });
  const members = (await group.json()) as { calls: { callId: string }[] };
  for (const { callId } of members.calls) {
    expect(await calls.untilEnded(callId)).toMatchObject({ labels });
  }
});

test('malformed labels are refused, and the answer says which', async () => {
  const answer = await client.call('fine', { headers: { 'X-Label': 'one, t*o' } });
  expect([answer.status, answer.code]).toEqual([400, 'invalid_label']);
  expect(JSON.parse(answer.text)).toMatchObject({ detail: expect.stringContaining('Label 2 of X-Label') });
});

test('labels are in no log and in no metric (P9)', async () => {
  const apps = [stack.gateway, stack.worker];
  const metrics = (await Promise.all(apps.map((app) => app.ops('/metrics')))).map(({ body }) => body);
  const written = [...metrics, ...apps.flatMap(({ output }) => output)].join('\n');
  expect(written).toContain('call accepted');
  expect(written).not.toMatch(/customer|nightly/);
});
