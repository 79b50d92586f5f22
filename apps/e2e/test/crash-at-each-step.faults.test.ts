import { ApiClient, type AppProcess, type Stack } from '@asyncfn/stack';
import {
  type CallbackReceiver,
  eventually,
  type RequestHandler,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Records } from './harness/broker/records.ts';
import { armFault, startFaultyWorker } from './harness/faulty-worker.ts';
import { startStack } from './harness/stack.ts';

const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
/** Beyond the lease, so that the call of a dead worker is delivered again before its retry. */
const retry = { attempts: 3, minWait: '2s', maxWait: '2s', backoff: 'exponential' };

interface Aftermath {
  readonly callId: string;
  readonly invocations: TestFunction['invocations'];
  readonly inbox: CallbackReceiver;
  readonly records: Records;
}

interface Fault {
  readonly step: string;
  /** Default: 200 at once. */
  readonly fn?: RequestHandler;
  /** Further headers of the call. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: 204 at once. */
  readonly receiver?: RequestHandler;
  /** Whether the fault belongs to a stored callback: it counts once the call itself is out of the queue. */
  readonly ofStored?: boolean;
  /** Deliveries of the callback to wait for. */
  readonly callbacks: number;
}

const succeeding: RequestHandler = (_, response) => void response.end('result');

let fn: TestFunction;
let stack: Stack;
let records: Records;
let client: ApiClient;
let calls = 0;
/** The running workers: two of them, because one detects the death of the other. */
const workers = new Set<AppProcess>();

beforeAll(async () => {
  fn = await startTestFunction();
  stack = await startStack({
    functions: { fn: { url: fn.url, retry } },
    workers: 0,
    workerEnv: { ACK_WAIT: '1s', CALLBACK_RETRY_SCHEDULE: '1500ms,500ms,500ms', CALLBACK_SIGNING_SECRETS: secret },
  });
  records = await Records.open(stack.nats.url);
  client = new ApiClient(stack.gateway.url);
});

beforeEach(async () => {
  await Promise.all(Array.from({ length: 2 - workers.size }, async () => workers.add(await startFaultyWorker(stack))));
});

afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await records?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
  await fn?.[Symbol.asyncDispose]();
});

/** Resolves with the first worker that ends. */
function firstToEnd(): Promise<AppProcess> {
  return Promise.race([...workers].map((worker) => worker.exited.then(() => worker)));
}

/**
 * One call and two workers that would both die at the step, so that one does. Returns when the call has left the queue
 * and no callback is stored any more, so that nothing can follow.
 */
async function killWorkerAt(fault: Fault, check: (aftermath: Aftermath) => Promise<void> | void): Promise<void> {
  calls += 1;
  const callId = `call-${calls}`;
  fn.handler = fault.fn ?? succeeding;
  await using inbox = await startCallbackReceiver(fault.receiver === undefined ? {} : { respond: fault.receiver });
  const at = { step: fault.step, callId };
  const accept = () =>
    client.accept('fn', { headers: { ...fault.headers, 'X-Call-Id': callId }, callbackUrl: inbox.url });
  if (fault.ofStored) {
    await accept();
    await inbox.waitForCallbacks(1);
    await stack.untilSettled();
    await armFault(stack, at);
  } else {
    await armFault(stack, at);
    await accept();
  }
  const dead = await firstToEnd();
  workers.delete(dead);
  expect(await dead.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await inbox.waitForCallbacks(fault.callbacks);
  await stack.untilSettled();
  await eventually(async () => (await records.storedCallbacks()) === 0);
  await check({ callId, invocations: fn.byCallId(callId), inbox, records });
  // In any case: one end, and every delivery reports the same.
  expect((await records.outcomes()).get(callId)).toBe(1);
  expect((await records.outcomes()).size).toBe(calls);
  expect(await stack.untilAudited()).toBe(0);
  expect(new Set(inbox.callbacks.map(told)).size).toBe(1);
  expect(workers.size).toBe(1);
}

/** The facts about the call in a delivery. */
function told({ headers, body }: CallbackReceiver['callbacks'][number]): string {
  const names = ['x-call-id', 'webhook-id', 'x-function-status', 'x-retry', 'x-duration-seconds'];
  return JSON.stringify([...names.map((name) => headers[name]), body.toString()]);
}

describe('a worker that dies', () => {
  test('after the function has answered: the function is called again, and can tell', async () => {
    await killWorkerAt({ step: 'function answered', callbacks: 1 }, ({ callId, invocations, inbox }) => {
      expect(invocations.map(({ headers }) => [headers['x-call-id'], headers['x-retry']])).toEqual([
        [callId, '0'],
        [callId, '0'],
      ]);
      expect(inbox.callbacks).toHaveLength(1);
    });
  });

  test('after it has stored a retry: the retry comes once, at its time', async () => {
    const handler = status(503, { times: 1 });
    await killWorkerAt({ step: 'retry stored', fn: handler, callbacks: 1 }, ({ invocations, inbox }) => {
      expect(invocations.map(({ headers }) => headers['x-retry'])).toEqual(['0', '1']);
      expect(inbox.callbacks.map(({ headers }) => headers['x-retry'])).toEqual(['1']);
    });
  });

  test('after it has recorded the end: the callback is sent from the record', async () => {
    await killWorkerAt({ step: 'outcome stored', callbacks: 1 }, ({ invocations, inbox }) => {
      expect(invocations).toHaveLength(1);
      expect(inbox.callbacks.map(({ body }) => body.toString())).toEqual(['result']);
    });
  });

  test('after it has ended the turn of a flow key: the function is not called again, and the callback follows', async () => {
    const headers = { 'X-Flow-Key': 'order' };
    await killWorkerAt({ step: 'turn ended', callbacks: 1, headers }, ({ invocations, inbox }) => {
      expect(invocations).toHaveLength(1);
      expect(inbox.callbacks.map(({ headers: of }) => of['x-function-status'])).toEqual(['200']);
    });
  });

  test('after it has put the call among the dead letters: there is one dead letter, and one callback', async () => {
    const handler = status(422, { body: 'no' });
    await killWorkerAt(
      { step: 'dead letter stored', fn: handler, callbacks: 1 },
      async ({ callId, invocations, inbox, records }) => {
        expect(invocations).toHaveLength(1);
        expect(inbox.callbacks.map(({ headers }) => headers['x-function-status'])).toEqual(['422']);
        expect(await records.deadLetters(callId)).toMatchObject([
          { kind: 'call', reason: 'rejected', lastStatus: 422 },
        ]);
      },
    );
  });

  test("after the receiver's 2xx: the receiver gets the same callback again", async () => {
    await killWorkerAt({ step: 'callback sent', callbacks: 2 }, ({ invocations, inbox }) => {
      expect(invocations).toHaveLength(1);
      expect(inbox.callbacks).toHaveLength(2);
    });
  });

  test('after it has stored a callback: the function is not called again, the receiver perhaps twice', async () => {
    const receiver = status(500, { times: 1 });
    await killWorkerAt({ step: 'callback stored', receiver, callbacks: 2 }, ({ invocations, inbox }) => {
      expect(invocations).toHaveLength(1);
      expect(inbox.callbacks.length).toBeGreaterThanOrEqual(2);
    });
  });

  test("after a receiver's 2xx to a stored callback: the receiver gets the same callback again", async () => {
    const receiver = status(500, { times: 1 });
    await killWorkerAt({ step: 'callback sent', ofStored: true, receiver, callbacks: 3 }, ({ invocations, inbox }) => {
      expect(invocations).toHaveLength(1);
      expect(inbox.callbacks).toHaveLength(3);
    });
  });

  test('after it has stored a callback once more: the callback follows its schedule', async () => {
    const receiver = status(500, { times: 2 });
    await killWorkerAt(
      { step: 'callback stored', ofStored: true, receiver, callbacks: 3 },
      ({ invocations, inbox }) => {
        expect(invocations).toHaveLength(1);
        expect(inbox.callbacks.length).toBeGreaterThanOrEqual(3);
      },
    );
  });

  test('before its ack is sent: nothing is repeated', async () => {
    await killWorkerAt({ step: 'call acknowledged', callbacks: 1 }, ({ invocations, inbox }) => {
      expect(invocations).toHaveLength(1);
      expect(inbox.callbacks).toHaveLength(1);
    });
  });
});
