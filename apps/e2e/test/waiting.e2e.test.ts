import { ApiClient, CallClient } from '@asyncfn/stack';
import { gate, startTestFunction, status } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test('a waiting client is answered when the time is up, and when the gateway stops', async () => {
  await using fn = await startTestFunction({ handler: gate().handler });
  await using stack = await startStack({ functions: { fn: fn.url } });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  const callId = await client.accept('fn');
  await calls.until(callId, 'running');
  const { tookMs, body } = await calls.ask(callId, '?wait=1s');
  expect(body).toMatchObject({ status: 'running' });
  expect(tookMs).toBeGreaterThanOrEqual(990);
  const waiting = calls.ask(callId, '?wait=5m');
  await pause(500);
  const exit = stack.gateway.stop();
  expect(await waiting).toMatchObject({ status: 200, body: { status: 'running' } });
  expect(await exit).toMatchObject({ code: 0 });
});

test('events report each state of a call until its end', async () => {
  const flaky = status(503, { times: 1 });
  const held = gate(async (request, response) => {
    await pause(300); // long enough for the start to be seen before the end
    await flaky(request, response);
  });
  await using fn = await startTestFunction({ handler: held.handler });
  const retry = { attempts: 2, minWait: '500ms', maxWait: '500ms', backoff: 'exponential' };
  await using stack = await startStack({ functions: { fn: { url: fn.url, concurrency: 1, retry } } });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  const first = await client.accept('fn');
  await calls.until(first, 'running');
  const callId = await client.accept('fn');
  const answer = await fetch(`${stack.gateway.url}/async-function/${callId}`, {
    headers: { Accept: 'text/event-stream' },
  });
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const reader = answer.text();
  await pause(500);
  held.open();
  const states = [...(await reader).matchAll(/^event: state\ndata: (.*)$/gm)].map(
    ([, data = '']) => JSON.parse(data) as { status: string; attempts: number },
  );
  const steps = states.map(({ status: step, attempts }) => `${step} ${attempts}`);
  expect(steps[0]).toBe('queued 0');
  expect(steps).toEqual(expect.arrayContaining(['running 1', 'retrying 1', 'running 2']));
  expect(steps.at(-1)).toBe('succeeded 2');
});
