import { ApiClient, CallClient } from '@asyncfn/stack';
import { eventually, startCallbackReceiver, startTestFunction, startTraceCollector, status } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

test('logs, trace, state and metrics tell the same story of a call', async () => {
  await using collector = await startTraceCollector();
  await using fn = await startTestFunction({ handler: status(503, { times: 1 }) });
  await using inbox = await startCallbackReceiver();
  await using stack = await startStack({
    functions: { resize: { url: fn.url, retry: { attempts: 3, minWait: '10ms', maxWait: '10ms' } } },
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '20',
    },
    workerEnv: { CALLBACK_PORTS: '1-65535' },
  });
  const { gateway, worker } = stack;
  await using client = new ApiClient(gateway.url);
  await using asker = new CallClient(gateway.url);
  const callId = await client.accept('resize', { body: 'picture', callbackUrl: `${inbox.url}/hook?token=t` });
  await inbox.waitForCallbacks(1);
  await stack.untilSettled();

  // The logs: everything that was done with the call, found by its id alone.
  const lines = await eventually(() => {
    const own = [...gateway.logs, ...worker.logs].filter((line) => line['callId'] === callId);
    return own.length >= 4 && own;
  });
  const common = { level: 'info', function: 'resize', queue: 'default', traceId: lines[0]?.['traceId'] };
  expect(lines).toMatchObject([
    { ...common, msg: 'call accepted', bytes: 7 },
    { ...common, msg: 'function invoked', attempt: 1, status: 503, url: `${fn.url}/`, retryInMs: expect.any(Number) },
    { ...common, msg: 'function invoked', attempt: 2, status: 200, url: `${fn.url}/`, bytes: 0 },
    { ...common, msg: 'callback delivered', attempt: 1, status: 204, url: `${inbox.url}/hook`, bytes: 0 },
  ]);

  // The trace that they name.
  const spans = await eventually(() => collector.spans.length >= 9 && collector.spans, { message: 'spans' });
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([common.traceId]));
  const outcomes = (name: string) =>
    spans.filter((span) => span.name === name).map(({ attributes }) => attributes['http.response.status_code']);
  expect(outcomes('POST /async-function/:name')).toEqual([202]);
  expect(outcomes('POST resize')).toEqual([503, 200]);
  expect(outcomes('POST callback')).toEqual([204]);
  const ids = spans.map(({ attributes }) => attributes['messaging.message.id'] ?? attributes['asyncfn.call.id']);
  // All but the two requests to the function, which are part of a span with the id.
  expect(ids.filter((id) => id === callId)).toHaveLength(7);

  // The state.
  const state = await eventually(async () => {
    const found = await asker.state(callId);
    return JSON.stringify(found['callback']).includes('delivered') && found;
  });
  expect(state).toMatchObject({
    status: 'succeeded',
    function: 'resize',
    queue: 'default',
    attempts: 2,
    functionStatus: 200,
    callback: { url: `${inbox.url}/hook`, status: 'delivered', attempts: 1 },
  });

  // The metrics, which know no single call: here there was just one.
  const counted = {
    queue_worker_messages_submitted_total: await gateway.metric('queue_worker_messages_submitted_total'),
    queue_worker_attempts_total: await worker.metric('queue_worker_attempts_total'),
    queue_worker_retries_total: await worker.metric('queue_worker_retries_total'),
    queue_worker_calls_ended_total: await worker.metric('queue_worker_calls_ended_total'),
    queue_worker_callbacks_total: await worker.metric('queue_worker_callbacks_total'),
  };
  expect(counted).toEqual({
    queue_worker_messages_submitted_total: 1,
    queue_worker_attempts_total: 2,
    queue_worker_retries_total: 1,
    queue_worker_calls_ended_total: 1,
    queue_worker_callbacks_total: 1,
  });

  // And of the last duration of the function, to the millisecond that lines are rounded to.
  const last = spans.filter(({ name }) => name === 'POST resize').sort((a, b) => a.startMs - b.startMs)[1]!;
  const logged = Number(lines[2]!['durationMs']);
  expect(Math.abs(Number(state['durationMs']) - logged)).toBeLessThanOrEqual(1);
  expect(Math.abs(last.endMs - last.startMs - logged)).toBeLessThan(1_000);
});
