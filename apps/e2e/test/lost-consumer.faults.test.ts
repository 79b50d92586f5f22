import { ApiClient } from '@asyncfn/stack';
import { eventually, startCallbackReceiver, startTestFunction, status } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { operateBroker } from './harness/broker/jetstream.ts';
import { armFault, startFaultyWorker } from './harness/faulty-worker.ts';
import { startStack } from './harness/stack.ts';

const callId = 'the-call';
const retry = { attempts: 3, minWait: '2s', maxWait: '2s', backoff: 'exponential' };

// A consumer that is created again counts deliveries from one.
describe('a worker dies with a call, and the broker loses the consumer that knows of it', () => {
  test.each([
    ['outcome stored', 200, ['0']],
    ['retry stored', 503, ['0', '1']],
  ])('after "%s": completed steps are not repeated, and do not wait for a lease', async (step, first, attempts) => {
    await using fn = await startTestFunction({ handler: status(first, { times: 1 }) });
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({
      functions: { fn: { url: fn.url, retry, concurrency: 1 } },
      workers: 0,
      workerEnv: { ACK_WAIT: '5m' },
    });
    await using broker = await operateBroker(stack.nats.url);
    await using client = new ApiClient(stack.gateway.url);
    const fault = { step, callId };
    const faulty = await startFaultyWorker(stack);
    await armFault(stack, fault);
    await client.accept('fn', { headers: { 'X-Call-Id': callId }, callbackUrl: inbox.url });
    await faulty.exited;
    await broker.manager.consumers.delete('CALLS_default', 'fn');
    await stack.startWorker();
    await inbox.waitForCallbacks(1);
    const next = await client.accept('fn');
    // It has the only place under the cap: none is taken by a lease.
    await eventually(() => fn.countBy(next) > 0);
    await stack.untilSettled();
    expect(fn.byCallId(callId).map(({ headers }) => headers['x-retry'])).toEqual(attempts);
    expect(inbox.callbacks).toHaveLength(1);
  });
});
