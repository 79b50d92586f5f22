import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import {
  eventually,
  type RecordedRequest,
  type RequestHandler,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { armFault, startFaultyWorker } from './harness/faulty-worker.ts';
import { startStack } from './harness/stack.ts';

let stack: Stack;
let client: ApiClient;
let calls: CallClient;
let functions: Record<'first' | 'second' | 'third', TestFunction>;

const succeeding: RequestHandler = (_, response) => void response.end('result');

beforeAll(async () => {
  const [first, second, third] = await Promise.all([startTestFunction(), startTestFunction(), startTestFunction()]);
  functions = { first, second, third };
  const retry = { attempts: 2, minWait: '100ms', maxWait: '100ms' };
  stack = await startStack({
    functions: {
      first: { url: first.url, retry },
      'second.team': { url: second.url, retry },
      third: { url: third.url, retry },
    },
  });
  client = new ApiClient(stack.gateway.url);
  calls = new CallClient(stack.gateway.url);
});

beforeEach(() => {
  for (const each of Object.values(functions)) {
    each.handler = succeeding;
  }
});

afterAll(async () => {
  await Promise.all([client, calls, stack, ...Object.values(functions)].map((part) => part[Symbol.asyncDispose]()));
});

/** The URL for calls of a function. */
function urlOf(target: string, { gateway }: Pick<Stack, 'gateway'> = stack): string {
  return `${gateway.url}/async-function/${target}`;
}

/** Waits until no call waits or runs. The ids of calls that came by callbacks stay in the queue. */
async function untilIdle({ gateway }: Pick<Stack, 'gateway'> = stack): Promise<void> {
  await eventually(
    async () => {
      const queue = (await (await fetch(`${gateway.url}/system/queues/default`)).json()) as Record<string, number>;
      return queue['depth'] === 0 && queue['scheduled'] === 0 && queue['inFlight'] === 0;
    },
    { message: 'calls stay in the queue' },
  );
}

/** Answers with `body`, and sets where the result of the next function goes. */
function goingOnTo(url: string, body: string): RequestHandler {
  return (_, response) => {
    response.setHeader('X-Callback-Url', url);
    response.setHeader('Content-Type', 'text/plain');
    response.end(body);
  };
}

/** Resolves with the invocations of a test once there are `count`. */
async function invocationsOf(fn: TestFunction, isIts: (request: RecordedRequest) => boolean, count = 1) {
  return await eventually(
    () => {
      const found = fn.invocations.filter(isIts);
      return found.length >= count && found;
    },
    { message: 'the chain does not get there' },
  );
}

function from(parent: string): (request: RecordedRequest) => boolean {
  return ({ headers }) => headers['x-parent-call-id'] === parent;
}

function idOf(request: RecordedRequest | undefined): string {
  return request?.callId ?? '';
}

/** POSTs with all headers that the function got, except those of its connection. */
async function postWithAllHeaders(target: string, { rawHeaders }: RecordedRequest, body = ''): Promise<Response> {
  const headers: [string, string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!/^(host|connection|content-length)$/i.test(name)) {
      headers.push([name, value]);
    }
  }
  return await fetch(urlOf(target), { method: 'POST', headers, body });
}

describe('a chain over callback URLs that lead to the gateway', () => {
  test('runs each function once with the result of the one before', async () => {
    await using inbox = await startCallbackReceiver();
    // Each one sets where the result of the next one goes.
    functions.first.handler = goingOnTo(urlOf('second.team/a?b='), 'of the first');
    functions.third.handler = goingOnTo(inbox.url, 'of the third');
    functions.second.handler = (_, response) => void response.end('of the second');
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const first = await client.accept('first', { headers: { traceparent }, callbackUrl: urlOf('third/c?d') });
    const [third] = await invocationsOf(functions.third, from(first));
    const [second] = await invocationsOf(functions.second, from(idOf(third)));
    const callback = await eventually(() => inbox.byCallId(idOf(second))[0]);

    expect([third?.url, third?.body.toString()]).toEqual(['/c?d', 'of the first']);
    expect([second?.url, second?.body.toString()]).toEqual(['/a?b=', 'of the third']);
    expect(callback.body.toString()).toBe('of the second');
    const about = { 'content-type': 'text/plain', 'x-function-status': '200', traceparent };
    expect(third?.headers).toMatchObject({ ...about, 'x-function-name': 'first', 'x-chain-depth': '1' });
    expect(second?.headers).toMatchObject({ ...about, 'x-function-name': 'third', 'x-chain-depth': '2' });
    expect(callback.headers).toMatchObject({ 'x-function-name': 'second.team', 'x-chain-depth': '3' });
    expect(functions.first.byCallId(first)[0]?.headers).not.toHaveProperty('x-chain-depth');
    expect(new Set([first, idOf(third), idOf(second)]).size).toBe(3);
    expect(await calls.untilEnded(first)).toMatchObject({ callback: { url: urlOf('third/c') } });
    expect(await calls.untilEnded(idOf(third))).toMatchObject({ parentId: first, function: 'third' });
    expect(await calls.untilEnded(idOf(second))).toMatchObject({ parentId: idOf(third), function: 'second.team' });
    await untilIdle();
    expect(functions.third.invocations.filter(from(first))).toHaveLength(1);
    expect(functions.second.invocations.filter(from(idOf(third)))).toHaveLength(1);
  });

  test('tells the next function that the one before has failed', async () => {
    functions.first.handler = status(422, { body: 'not like this' });
    const first = await client.accept('first', { callbackUrl: urlOf('third') });
    const [third] = await invocationsOf(functions.third, from(first));
    expect(third?.headers).toMatchObject({ 'x-function-status': '422', 'x-function-name': 'first' });
    expect(third?.body.toString()).toBe('not like this');
  });

  test('calls the next function once more for a replay, and once only for each', async () => {
    functions.first.handler = status(422);
    const first = await client.accept('first', { callbackUrl: urlOf('third') });
    const [before] = await invocationsOf(functions.third, from(first));
    await eventually(async () => (await fetch(`${stack.gateway.url}/system/dead-letters/${first}`)).ok);
    await untilIdle();
    const replay = await fetch(`${stack.gateway.url}/system/dead-letters/${first}/replay`, { method: 'POST' });
    expect(replay.status).toBe(202);
    const both = await invocationsOf(functions.third, from(first), 2);
    expect(new Set([before, ...both].map(idOf)).size).toBe(2);
    await untilIdle();
    expect(functions.third.invocations.filter(from(first))).toHaveLength(2);
  });

  test('is not steered by headers of a response that look like instructions', async () => {
    functions.first.handler = (_, response) => {
      const orders = {
        'X-Delay': '1h',
        'X-Timeout': 'none',
        'X-Max-Retries': '0',
        'Idempotency-Key': 'always the same',
      };
      response.writeHead(200, {
        ...orders,
        'X-Expires-In': '0s',
        'X-Function-Authorization': 'Bearer x',
        'X-Own': 'kept',
      });
      response.end();
    };
    functions.third.handler = status(503, { times: 1 });
    for (const name of ['one', 'two']) {
      const callId = `steered-${name}`;
      await client.accept('first', { headers: { 'X-Call-Id': callId }, callbackUrl: urlOf('third') });
      const invocations = await invocationsOf(functions.third, from(callId), 2);
      expect(invocations.map(({ headers }) => headers['x-retry'])).toEqual(['0', '1']);
      expect(Object.keys(invocations[0]?.headers ?? {})).toEqual(expect.arrayContaining(['x-own', 'x-call-id']));
      expect(Object.keys(invocations[0]?.headers ?? {})).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/delay|timeout|max-retries|idempotency|authorization|expires/)]),
      );
    }
  });

  test('goes through a gateway with tokens, with one in the URL', async () => {
    const secret = 'token-of-the-chain';
    const hash = `sha256:${createHash('sha256').update(secret).digest('hex')}`;
    const file = join(stack.folder, 'chain-tokens.yaml');
    await writeFile(file, JSON.stringify({ tokens: { chain: { hash, scopes: ['invoke'], functions: ['third'] } } }));
    const guarded = await stack.startGateway({ AUTH_TOKENS_FILE: file });
    const withToken = urlOf('third', { gateway: guarded }).replace('//', `//chain:${secret}@`);
    const first = await client.accept('first', { callbackUrl: withToken });
    const [third] = await invocationsOf(functions.third, from(first));
    expect(third?.headers).not.toHaveProperty('authorization');
    const headers = { Authorization: `Bearer ${secret}` };
    const state = await fetch(`${guarded.url}/async-function/${idOf(third)}`, { headers });
    expect(await state.json()).toMatchObject({ parentId: first });
    await guarded.stop();
  });

  test('that is delivered again is answered with the call that exists', async () => {
    await using inbox = await startCallbackReceiver();
    const first = await client.accept('first', { callbackUrl: inbox.url });
    const [callback] = await eventually(() => inbox.byCallId(first).length > 0 && inbox.byCallId(first));
    const [one, other] = [
      await postWithAllHeaders('third/x', callback!, 'result'),
      await postWithAllHeaders('third/x', callback!, ''),
    ];
    expect([one.status, other.status]).toEqual([202, 202]);
    expect([one.headers.get('idempotency-replayed'), other.headers.get('idempotency-replayed')]).toEqual([
      null,
      'true',
    ]);
    for (const header of ['x-call-id', 'x-start-time', 'location']) {
      expect(other.headers.get(header)).toBe(one.headers.get(header));
    }
    await untilIdle();
    expect(functions.third.invocations.filter(from(first))).toHaveLength(1);
  });

  test('and is delivered twice by workers that die makes the next call once', async () => {
    await using own = await startStack({
      functions: { first: functions.first.url, third: functions.third.url },
      workers: 0,
      workerEnv: { ACK_WAIT: '3s' },
    });
    await using ownClient = new ApiClient(own.gateway.url);
    const fault = { step: 'callback sent', callId: 'dies-after-callback' };
    const workers = await Promise.all([startFaultyWorker(own), startFaultyWorker(own)]);
    await armFault(own, fault);
    const headers = { 'X-Call-Id': fault.callId };
    await ownClient.accept('first', { headers, callbackUrl: urlOf('third', own) });
    expect(await Promise.race(workers.map((worker) => worker.exited))).toMatchObject({ signal: 'SIGKILL' });
    await own.gateway.untilLogged('call was already accepted');
    await untilIdle(own);
    expect(functions.first.countBy(fault.callId)).toBe(1);
    // One call, which the worker that died may have begun as well (P3).
    expect(new Set(functions.third.invocations.filter(from(fault.callId)).map(idOf)).size).toBe(1);
  });
});

describe('a chain that leads back to itself', () => {
  test('ends after 32 hops with 508, and a dead letter at once', async () => {
    const invocations: string[] = [];
    functions.first.handler = (request, response) => {
      invocations.push(idOf(request));
      return goingOnTo(urlOf('first'), 'round and round')(request, response);
    };
    await client.accept('first', { callbackUrl: urlOf('first') });
    const last = await eventually(() => invocations[32], { message: 'the loop has not got there' });
    const letter = await eventually(async () => {
      const answer = await fetch(`${stack.gateway.url}/system/dead-letters/${last}`);
      return answer.ok && ((await answer.json()) as Record<string, unknown>);
    });
    expect(letter).toMatchObject({ kind: 'callback', reason: 'callback_undeliverable', lastStatus: 508, attempts: 1 });
    await untilIdle();
    expect(invocations).toHaveLength(33);
    expect(new Set(invocations).size).toBe(33);
  });

  test('by a function that calls itself with the headers that it got ends as well', async () => {
    const answers: number[] = [];
    functions.first.handler = async (request, response) => {
      const { status: code } = await postWithAllHeaders('first', request);
      answers.push(code);
      response.end();
    };
    await client.accept('first');
    await eventually(() => answers.includes(508));
    await untilIdle();
    expect(answers).toEqual([...Array.from({ length: 32 }, () => 202), 508]);
  });
});

describe('a function that calls another one with all the headers that it got', () => {
  test('makes a call each time, whether its own call is a first one or follows another', async () => {
    const made: string[] = [];
    const fanOut: RequestHandler = async (request, response) => {
      for (const part of ['one', 'two', 'two']) {
        const answer = await postWithAllHeaders('third', request, part);
        expect(answer.status).toBe(202);
        made.push(answer.headers.get('x-call-id') ?? '');
      }
      response.end();
    };
    functions.first.handler = fanOut;
    functions.second.handler = fanOut;
    const first = await client.accept('first', { callbackUrl: urlOf('second.team') });
    const [second] = await invocationsOf(functions.second, from(first));
    const ofFirst = await invocationsOf(functions.third, from(first), 3);
    const ofSecond = await invocationsOf(functions.third, from(idOf(second)), 3);
    for (const invocations of [ofFirst, ofSecond]) {
      expect(invocations.map(({ body }) => body.toString()).toSorted()).toEqual(['one', 'two', 'two']);
    }
    await untilIdle();
    expect(made).toHaveLength(6);
    expect([...ofFirst, ...ofSecond].map(idOf).toSorted()).toEqual(made.toSorted());
    expect(await calls.untilEnded(made[0] ?? '')).toMatchObject({ parentId: first });
  });

  test('does so as well if the gateway itself takes the place of the function', async () => {
    await stack.writeFunctions({
      first: functions.first.url,
      'second.team': functions.second.url,
      third: functions.third.url,
      detour: urlOf('third'),
    });
    const detour = await eventually(async () => {
      const { status: code, callId } = await client.call('detour');
      return code === 202 && callId;
    });
    const [third] = await invocationsOf(functions.third, from(detour));
    expect(await calls.untilEnded(detour)).toMatchObject({ status: 'succeeded', functionStatus: 202 });
    expect(await calls.untilEnded(idOf(third))).toMatchObject({ status: 'succeeded', parentId: detour });
  });
});

test('a call that follows another names it after it was cancelled and after it has failed', async () => {
  functions.third.handler = status(400);
  const passedOn = { 'X-Call-Id': 'the-parent', 'X-Start-Time': '1700000000000000000', 'X-Retry': '0' };
  const waiting = await client.accept('third', { headers: { ...passedOn, 'X-Delay': '1h' } });
  expect((await calls.ask(waiting, '', 'DELETE')).body).toMatchObject({ status: 'cancelled', parentId: 'the-parent' });
  const failing = await client.accept('third', { headers: passedOn });
  expect(await calls.untilEnded(failing)).toMatchObject({ status: 'failed', parentId: 'the-parent' });
  expect(await calls.state(waiting)).toMatchObject({ status: 'cancelled', parentId: 'the-parent' });
});
