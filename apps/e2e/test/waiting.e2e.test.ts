import { ApiClient, CallClient } from '@asyncfn/stack';
import { eventually, gate, startTestFunction, status } from '@asyncfn/testkit';
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

/** States and numbers of attempts in a stream of events. */
function stepsOf(text: string): string[] {
  return [...text.matchAll(/^event: state\ndata: (.*)$/gm)].map(([, data = '']) => {
    const { status: step, attempts } = JSON.parse(data) as { status: string; attempts: number };
    return `${step} ${attempts}`;
  });
}

test('events report each state of a call until its end', async () => {
  const flaky = status(503, { times: 1 });
  let followed = '';
  let text = '';
  let attempts = 0;
  const held = gate(async (request, response) => {
    if (request.callId === followed) {
      attempts += 1;
      const step = `running ${attempts}`;
      await eventually(() => stepsOf(text).includes(step)); // its start is seen before its end
    }
    await flaky(request, response);
  });
  await using fn = await startTestFunction({ handler: held.handler });
  const retry = { attempts: 2, minWait: '3s', maxWait: '3s', backoff: 'exponential' };
  await using stack = await startStack({ functions: { fn: { url: fn.url, concurrency: 1, retry } } });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  const first = await client.accept('fn');
  await calls.until(first, 'running');
  const callId = await client.accept('fn');
  followed = callId;
  const answer = await fetch(`${stack.gateway.url}/async-function/${callId}`, {
    headers: { Accept: 'text/event-stream' },
  });
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const reading = (async () => {
    for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += piece;
    }
  })();
  await eventually(() => stepsOf(text).includes('queued 0'));
  held.open();
  await reading;
  const steps = stepsOf(text);
  expect(steps[0]).toBe('queued 0');
  expect(steps).toEqual(expect.arrayContaining(['running 1', 'retrying 1', 'running 2']));
  expect(steps.at(-1)).toBe('succeeded 2');
});
