import { writeFile } from 'node:fs/promises';
import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import { eventually, type Gate, gate, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

let stack: Stack;
let calls: CallClient;
let target: TestFunction;
let held: Gate;
let slow: TestFunction;

beforeAll(async () => {
  held = gate();
  [target, slow] = await Promise.all([startTestFunction(), startTestFunction({ handler: held.handler })]);
  stack = await startStack({ functions: { target: target.url, slow: slow.url }, gateways: 2, workers: 2 });
  calls = new CallClient(stack.gateway.url);
});

afterAll(async () => {
  await Promise.all([calls, stack, target, slow].map((part) => part[Symbol.asyncDispose]()));
});

interface ScheduleBody {
  readonly next: readonly string[];
  readonly last: readonly { readonly at: string; readonly callId: string }[];
  readonly [member: string]: unknown;
}

async function ask(path: string, method = 'GET', body?: object, gatewayIndex = 0) {
  const answer = await fetch(`${stack.gateways[gatewayIndex]?.url}/system/schedules${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as ScheduleBody };
}

/** The invocations that a schedule has made, by the moment. */
function momentsOf(name: string, at: TestFunction = target): string[] {
  const own = at.invocations.filter(({ headers }) => headers['x-schedule-name'] === name);
  return own.map(({ headers }) => String(headers['x-scheduled-at']));
}

async function untilMoments(name: string, count: number, at: TestFunction = target): Promise<string[]> {
  return await eventually(() => (momentsOf(name, at).length >= count ? momentsOf(name, at) : undefined));
}

test('a schedule calls its function at each moment once, with what it says', async () => {
  const settings = { function: 'target', path: '/a?b=1', json: { a: 1 }, every: '1s', headers: { 'X-Label': 'tick' } };
  const put = await ask('/tick', 'PUT', settings);
  expect(put).toMatchObject({ status: 201, body: settings });
  const moments = await untilMoments('tick', 4);
  expect(moments.slice(0, 4)).toEqual(put.body.next.slice(0, 4));
  const [first] = target.invocations;
  expect(first).toMatchObject({ url: '/a?b=1', headers: { 'content-type': 'application/json' } });
  expect(first?.body.toString()).toBe('{"a":1}');

  const { body } = await ask('/tick', 'GET', undefined, 1);
  const [newest] = body.last;
  expect(await calls.untilEnded(newest!.callId)).toMatchObject({ status: 'succeeded', labels: ['tick'] });
  expect(body.last.map(({ at }) => at).toReversed()).toEqual(put.body.next.slice(0, body.last.length));
  expect(await ask('/tick', 'PUT', settings)).toMatchObject({ status: 200 });
});

test('a change takes effect with the next moment, and the moments stay as they were', async () => {
  const { body } = await ask('/tick', 'PUT', { function: 'target', path: '/changed', every: '1s' });
  const changed = await eventually(() => target.invocations.find(({ url }) => url === '/changed'));
  expect(body.next).toContain(changed.headers['x-scheduled-at']);
  const moments = momentsOf('tick');
  expect(new Set(moments).size).toBe(moments.length);
});

test('a pause stops the calls, but for those that are triggered, and a resume starts them again', async () => {
  await ask('/tick/pause', 'POST');
  const { last } = (await ask('/tick')).body;
  await Promise.all(last.map(({ callId }) => calls.untilEnded(callId)));
  const count = momentsOf('tick').length;
  const { status, body } = await ask('/tick/trigger', 'POST');
  expect(status).toBe(202);
  await calls.untilEnded(String(body['callId']));
  expect(momentsOf('tick')).toHaveLength(count + 1);
  expect((await ask('/tick')).body.last[0]).toMatchObject({ callId: body['callId'] });
  await ask('/tick/resume', 'POST');
  await untilMoments('tick', count + 3);
  expect((await ask('/tick', 'DELETE')).status).toBe(204);
  expect((await ask('/tick')).status).toBe(404);
});

test('overlap: skip makes no call while one has not ended, and queue one when it has', async () => {
  for (const overlap of ['skip', 'queue', 'allow']) {
    await ask(`/${overlap}`, 'PUT', { function: 'slow', every: '1s', overlap });
  }
  await untilMoments('allow', 4, slow);
  expect(momentsOf('skip', slow)).toHaveLength(1);
  expect(momentsOf('queue', slow)).toHaveLength(1);
  const { next } = (await ask('/allow', 'DELETE')).body;
  expect(next).toBeUndefined();
  held.open();
  const [, skipped] = await untilMoments('skip', 2, slow);
  const [first, queued, third] = await untilMoments('queue', 3, slow);
  const after = (one: string | undefined, other: string | undefined): number =>
    (Date.parse(other ?? '') - Date.parse(one ?? '')) / 1_000;
  // The one that waited is that of the moment after the first call; those after it are skipped.
  expect(after(first, queued)).toBe(1);
  expect(after(queued, third)).toBeGreaterThan(1);
  expect(after(momentsOf('skip', slow)[0], skipped)).toBeGreaterThan(2);
  await Promise.all(['/skip', '/queue'].map((path) => ask(path, 'DELETE')));
});

test('a schedule whose function is gone goes on when that is there again', async () => {
  const functions = `${stack.gateway.url}/system/functions/own`;
  const put = () => fetch(functions, { method: 'PUT', body: JSON.stringify({ url: target.url }) });
  await put();
  await ask('/orphan', 'PUT', { function: 'own', every: '1s' });
  await untilMoments('orphan', 1);
  expect((await fetch(`${functions}?purge=true`, { method: 'DELETE' })).ok).toBe(true);
  const failed = (): boolean =>
    stack.workers.some(({ logs }) =>
      logs.some(
        ({ msg, ...fields }) => /cannot be stored/.test(String(msg)) && fields['reason'] === 'unknown_function',
      ),
    );
  await eventually(failed);
  const count = momentsOf('orphan').length;
  await put();
  await untilMoments('orphan', count + 2);
  await ask('/orphan', 'DELETE');
});

test('a full queue delays a schedule, and loses no more than it has to', async () => {
  const functions = `${stack.gateway.url}/system/functions/narrow`;
  await fetch(functions, { method: 'PUT', body: JSON.stringify({ url: target.url, maxPending: 1 }) });
  await fetch(`${functions}/pause`, { method: 'POST' });
  await using client = new ApiClient(stack.gateway.url);
  await client.accept('narrow', {});
  await ask('/full', 'PUT', { function: 'narrow', every: '1s', catchUp: 'all' });
  const refused = (): boolean =>
    stack.workers.some(({ logs }) => logs.some((line) => line['reason'] === 'too_many_pending'));
  await eventually(refused);
  expect((await ask('/full')).body.last).toEqual([]);
  await fetch(`${functions}/resume`, { method: 'POST' });
  const moments = await untilMoments('full', 4);
  const steps = moments.map((at, index) => Date.parse(at) - Date.parse(moments[0] ?? '') - 1_000 * index);
  expect(new Set(steps)).toEqual(new Set([0]));
  await ask('/full', 'DELETE');
});

test('a schedule of the functions file is kept as the file is, also where the API has changed it', async () => {
  const write = (schedules: object): Promise<void> =>
    writeFile(stack.functionsFile, JSON.stringify({ functions: { target: { url: target.url } }, schedules }));
  await write({ filed: { function: 'target', every: '1s', headers: { 'X-From': 'file' } } });
  await untilMoments('filed', 2);
  expect((await ask('/filed')).body).toMatchObject({ source: 'file', every: '1s' });
  const put = await ask('/filed', 'PUT', { function: 'target', every: '1h' });
  expect(put).toMatchObject({ status: 200, body: { source: 'api', every: '1h' } });
  expect((await ask('/filed', 'DELETE')).status).toBe(204);
  expect((await ask('/filed')).body).toMatchObject({ source: 'file', every: '1s' });
  await write({});
  await eventually(async () => (await ask('/filed')).status === 404);
});
