import { createHash, randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { ApiClient, CallClient } from '@asyncfn/stack';
import { gate, type RequestHandler, startCallbackReceiver, startTestFunction, status } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { followCalls, order } from './harness/follow-calls.ts';
import { startStack } from './harness/stack.ts';

test('the state of a call follows it from its acceptance to its callback', async () => {
  const held = gate(status(503, { times: 1 }));
  await using fn = await startTestFunction({ handler: held.handler });
  await using inbox = await startCallbackReceiver();
  const retry = { attempts: 2, minWait: '1500ms', maxWait: '2s', backoff: 'exponential' };
  await using stack = await startStack({ functions: { fn: { url: fn.url, concurrency: 1, retry } } });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  const callId = await client.accept('fn', { callbackUrl: `${inbox.url}/done?token=s3cr3t` });
  const behind = await client.accept('fn');

  const running = await calls.until(callId, 'running');
  expect(running).toMatchObject({ function: 'fn', queue: 'default', attempts: 1, maxRetries: 2 });
  expect(running).toMatchObject({ callback: { url: `${inbox.url}/done`, status: 'pending', attempts: 0 } });
  expect(await calls.state(behind)).toMatchObject({ status: 'queued', attempts: 0 });
  expect(await calls.ask(`${callId}/result`)).toMatchObject({ status: 409, body: { code: 'not_ended' } });

  held.open();
  const retrying = await calls.until(callId, 'retrying');
  expect(retrying).toMatchObject({ attempts: 1, startedAt: running['startedAt'] });
  expect(Date.parse(String(retrying['notBefore']))).toBeGreaterThan(Date.parse(String(running['startedAt'])));
  await calls.until(callId, 'succeeded');
  await inbox.waitForCallbacks(1);
  await stack.untilSettled();
  expect(await calls.state(callId)).toMatchObject({
    status: 'succeeded',
    attempts: 2,
    functionStatus: 200,
    startedAt: running['startedAt'],
    callback: { status: 'delivered', attempts: 1 },
  });
});

test('a call whose worker was killed stays running until its lease has ended, runs again, and is known all the while', async () => {
  const held = gate();
  await using fn = await startTestFunction({ handler: held.handler });
  await using stack = await startStack({ functions: { fn: fn.url }, workerEnv: { ACK_WAIT: '3s' } });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  const callId = await client.accept('fn');
  const running = await calls.until(callId, 'running');
  stack.worker.kill('SIGKILL');
  await stack.worker.ended();
  expect(await calls.state(callId)).toEqual(running);
  await calls.until(callId, 'queued');
  await stack.startWorker();
  await calls.until(callId, 'running');
  held.open();
  expect(await calls.untilEnded(callId)).toMatchObject({ status: 'succeeded', attempts: 1 });
});

test('a call that a worker hands back when it is stopped waits at once', async () => {
  const held = gate();
  await using fn = await startTestFunction({ handler: held.handler });
  await using stack = await startStack({ functions: { fn: fn.url }, workerEnv: { SHUTDOWN_TIMEOUT: '100ms' } });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  const callId = await client.accept('fn');
  await calls.until(callId, 'running');
  await stack.worker.stop();
  expect(await calls.state(callId)).toMatchObject({ status: 'queued', attempts: 0 });
});

describe('a call is never unknown, and never goes back', () => {
  const retry = { attempts: 3, minWait: '50ms', maxWait: '50ms', backoff: 'exponential' };

  test('while its workers are paused for longer than they may take to answer', async () => {
    const answer = status(503, { times: 1 });
    const handler: RequestHandler = async (request, response) => {
      await setTimeout(100); // so that it is seen running
      await answer(request, response);
    };
    await using fn = await startTestFunction({ handler, keepBodies: false });
    await using stack = await startStack({ functions: { fn: { url: fn.url, retry } }, gateways: 2, workers: 2 });
    await using client = new ApiClient(stack.gateway.url, 10);
    await using calls = new CallClient(stack.gateways[1]!.url, 20);
    const done = new AbortController();
    const stalling = (async () => {
      for (let turn = 0; !done.signal.aborted; turn++) {
        const worker = stack.workers[turn % 2]!;
        await worker.pause();
        await setTimeout(500);
        worker.kill('SIGCONT');
        await setTimeout(50);
      }
    })();
    const { seen } = await followCalls(100, client, calls);
    done.abort();
    await stalling;
    expect(seen.filter((each) => !order.test(each))).toEqual([]);
    // Not all of them were too fast to be seen at a paused worker.
    expect(seen.filter((each) => each.includes('running')).length).toBeGreaterThan(10);
  });
});

/** A download that broke can go on, and one that is complete is not made again. */
async function expectParts(url: string, bytes: Buffer): Promise<void> {
  const get = async (headers: Record<string, string> = {}) => {
    const response = await fetch(url, { headers });
    return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
  };
  const whole = await get();
  const etag = whole.headers.get('etag') ?? '';
  const digest = createHash('sha256').update(bytes).digest('base64');
  expect(whole.headers.get('repr-digest')).toBe(`sha-256=:${digest}:`);
  expect(whole.headers.get('content-length')).toBe(String(bytes.length));
  const rest = await get({ range: 'bytes=20000-', 'if-range': etag });
  expect([rest.status, rest.headers.get('content-range')]).toEqual([206, `bytes 20000-${bytes.length - 1}/50000`]);
  expect(rest.headers.get('content-length')).toBe('30000');
  expect(rest.body.equals(bytes.subarray(20_000))).toBe(true);
  const known = await get({ 'if-none-match': etag });
  expect([known.status, known.body.length, known.headers.get('etag')]).toEqual([304, 0, etag]);
  const beyond = await get({ range: 'bytes=50000-' });
  expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */50000']);
  expect(JSON.parse(beyond.body.toString())).toMatchObject({ code: 'range_not_satisfiable' });
}

test("the result is the function's response, byte for byte, or a reason why it is not available", async () => {
  const bytes = randomBytes(50_000);
  await using fn = await startTestFunction({
    handler: (_, response) => void response.writeHead(404, { 'content-type': 'x/y', 'x-own': 'caf\u00e9' }).end(bytes),
  });
  await using large = await startTestFunction({
    handler: (_, response) => void response.end(Buffer.alloc(9 * 1024 * 1024)),
  });
  await using stack = await startStack({ functions: { fn: fn.url, large: large.url } });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  const callId = await client.accept('fn');
  expect(await calls.untilEnded(callId)).toMatchObject({ status: 'failed', reason: 'rejected', functionStatus: 404 });
  const result = await calls.result(callId);
  expect(result.headers).toMatchObject({ 'content-type': 'x/y', 'x-own': 'caf\u00e9', 'x-function-status': '404' });
  expect(result.body.equals(bytes)).toBe(true);
  await expectParts(`${stack.gateway.url}/async-function/${callId}/result`, bytes);

  const tooLarge = await client.accept('large');
  await calls.untilEnded(tooLarge);
  const gone = await calls.ask(`${tooLarge}/result`);
  expect(gone).toMatchObject({ status: 410, body: { code: 'result_gone', reason: 'too_large' } });

  const forgetful = await stack.startGateway({ RESULT_TTL: '0' });
  await using others = new CallClient(forgetful.url);
  expect(await others.state(callId)).toMatchObject({ status: 'failed' });
  const notKept = await others.ask(`${callId}/result`);
  expect(notKept).toMatchObject({ status: 410, body: { code: 'result_gone', reason: 'not_kept' } });

  const hasty = await stack.startGateway({ RESULT_TTL: '1ms' });
  await using third = new CallClient(hasty.url);
  expect(await third.ask(callId)).toMatchObject({ status: 404, body: { code: 'call_not_found' } });
});
