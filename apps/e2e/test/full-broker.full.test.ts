import { ApiClient } from '@asyncfn/stack';
import { eventually, gate, startCallbackReceiver, startTestFunction, status } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { almostFillStorage, smallStorage } from './harness/broker/full-storage.ts';
import { Records } from './harness/broker/records.ts';
import { startStack } from './harness/stack.ts';

test('calls in flight when the broker is full are not lost, and end when there is room', async () => {
  const gates = {
    succeeding: gate(status(200, { body: 'done' })),
    failing: gate(status(503, { times: 2 })),
    rejecting: gate(status(422)),
  };
  await using waiting = await startTestFunction({ handler: status(503, { times: 1 }) });
  await using succeeding = await startTestFunction({ handler: gates.succeeding.handler });
  await using failing = await startTestFunction({ handler: gates.failing.handler });
  await using rejecting = await startTestFunction({ handler: gates.rejecting.handler });
  await using inbox = await startCallbackReceiver();
  await using storage = await smallStorage();
  const retry = { attempts: 3, backoff: 'exponential' };
  await using stack = await startStack({
    functions: {
      waiting: { url: waiting.url, retry: { ...retry, minWait: '3s', maxWait: '3s' } },
      failing: { url: failing.url, retry: { ...retry, minWait: '100ms', maxWait: '100ms' } },
      succeeding: succeeding.url,
      rejecting: rejecting.url,
    },
    natsConfig: storage.natsConfig,
  });
  await using records = await Records.open(stack.nats.url);
  await using client = new ApiClient(stack.gateway.url);
  await using filler = await almostFillStorage(stack.nats.url);
  const names = ['succeeding', 'failing', 'rejecting', 'waiting'];
  for (const name of names) {
    await client.accept(name, { headers: { 'X-Call-Id': name }, callbackUrl: inbox.url });
  }
  await eventually(() => [succeeding, failing, rejecting].every((fn) => fn.inFlight === 1));
  await eventually(async () => (await records.waitingRetries()) === 1);

  await filler.fill();
  expect(await client.call('succeeding')).toMatchObject({ status: 503, code: 'queue_full' });
  for (const each of Object.values(gates)) {
    each.open();
  }
  // It is the smaller loss that its end could not be recorded: the caller gets its callback.
  const [callback] = await inbox.waitForCallbacks(1);
  expect([callback?.callId, callback?.body.toString()]).toEqual(['succeeding', 'done']);
  await stack.worker.untilLogged('dead letter could not be stored, the call stays queued');
  await stack.worker.untilLogged('retry could not be stored, the call goes back to the queue with a delay');
  // By the second time the waiting retry is due.
  await eventually(async () => (await stack.worker.metric('queue_worker_retries_deferred_total')) === 2);
  expect(await stack.queued()).toBe(3);

  await filler.free();
  await inbox.waitForCallbacks(names.length);
  await stack.untilSettled();
  expect(names.map((name) => inbox.byCallId(name).map(({ headers }) => headers['x-function-status']))).toEqual([
    ['200'],
    ['200'],
    ['422'],
    ['200'],
  ]);
  expect(succeeding.invocations).toHaveLength(1);
  expect(waiting.invocations.map(({ headers }) => headers['x-retry'])).toEqual(['0', '1']);
  // An attempt that could not be recorded is made again, under the same number.
  expect(failing.invocations.map(({ headers }) => headers['x-retry'])).toEqual(['0', '0', '0']);
  expect(await records.deadLetters('rejecting')).toMatchObject([{ reason: 'rejected', lastStatus: 422, attempts: 1 }]);
  expect(await stack.worker.metric('queue_worker_calls_ended_total')).toBe(names.length);
  expect(await stack.worker.metric('queue_worker_outcomes_lost_total')).toBe(1);
});
