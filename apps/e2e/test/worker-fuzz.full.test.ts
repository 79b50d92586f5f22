import { ApiClient, type Stack } from '@asyncfn/stack';
import { type CallbackReceiver, eventually, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { mutate, type Sound } from './fuzz/mutated-message.ts';
import { RawPublisher } from './fuzz/raw-publisher.ts';
import { seededRandom } from './fuzz/seeded-random.ts';
import { Records } from './harness/broker/records.ts';
import { startStack } from './harness/stack.ts';

/** Messages put on the streams. `pnpm fuzz:worker` puts 100,000. */
const messages = Number(process.env['FUZZ_MESSAGES'] ?? 3_000);
/** The seed of a failed run repeats it. */
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const healthyEveryMs = 50;
const limitMs = 60_000 + messages * 20;

const startTime = '1700000000000000000';

function soundCall(id: string, callbackUrl: string): Sound {
  const record = { v: 1, id, function: 'echo', queue: 'default', path: '/a', query: 'b=c', headers: [['X-A', 'b']] };
  return {
    subject: `calls.default.ready.~.echo.${id}.~.${startTime}`,
    headerName: 'Asyncfn-Call',
    record: { ...record, callbackUrl, startTime, retry: 0 },
  };
}

function soundCallback(callId: string, url: string): Sound {
  const result = { functionStatus: 200, durationMs: 1, startTime, retry: 0, maxRetries: 3, headers: [['X-A', 'b']] };
  return {
    subject: `callbacks.ready.${callId}.~.${startTime}.0`,
    headerName: 'Asyncfn-Callback',
    record: { v: 1, callId, generation: 0, function: 'echo', queue: 'default', url, ...result, tries: 0 },
  };
}

async function publishMutations(port: number, receiver: CallbackReceiver): Promise<void> {
  await using publisher = await RawPublisher.open(port);
  const random = seededRandom(seed);
  for (let n = 0; n < messages; n++) {
    const sound = random.chance(0.8) ? soundCall : soundCallback;
    await publisher.publish(mutate(sound(`fuzz-${n}`, receiver.url), random));
  }
  await publisher.flush();
  expect(publisher.complaints).toEqual([]);
}

/** Makes valid calls, one after the other, until `isOver`. */
async function callMeanwhile(client: ApiClient, callbackUrl: string, isOver: () => boolean): Promise<string[]> {
  const callIds: string[] = [];
  while (!isOver()) {
    callIds.push(await client.accept('echo', { callbackUrl }));
    await new Promise((resolve) => setTimeout(resolve, healthyEveryMs));
  }
  return callIds;
}

async function untilNothingIsLeft(stack: Stack, records: Records): Promise<void> {
  await stack.untilSettled(limitMs);
  const left = { timeoutMs: limitMs, message: 'callbacks stay in their stream' };
  await eventually(async () => (await records.storedCallbacks()) === 0, left);
}

test(
  `${messages} damaged messages on the streams (seed ${seed}) each come to an end, and valid calls go on`,
  async () => {
    await using fn = await startTestFunction({ keepBodies: false });
    await using receiver = await startCallbackReceiver({ keepBodies: false });
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({
      functions: { echo: fn.url },
      workerEnv: {
        RETRY_ATTEMPTS: '1',
        RETRY_MIN_WAIT: '100ms',
        RETRY_MAX_WAIT: '200ms',
        CALLBACK_RETRY_SCHEDULE: '200ms',
      },
    });
    await using records = await Records.open(stack.nats.url);
    await using client = new ApiClient(stack.gateway.url);
    await client.accept('echo');
    await fn.waitForInvocations(1);

    let isOver = false;
    const healthy = callMeanwhile(client, inbox.url, () => isOver);
    await publishMutations(stack.nats.port, receiver);
    isOver = true;
    const callIds = await healthy;
    await untilNothingIsLeft(stack, records);

    expect(callIds.length).toBeGreaterThan(0);
    await inbox.waitForCallbacks(callIds.length);
    expect(callIds.filter((callId) => fn.countBy(callId) !== 1 || inbox.byCallId(callId).length !== 1)).toEqual([]);
    const { worker } = stack;
    expect((await worker.ops('/livez')).status).toBe(200);
    expect(worker.logged('call could not be processed')).toEqual([]);
    expect(worker.logged('stored callback could not be processed')).toEqual([]);
    expect(worker.logged('call cannot be read').length).toBeGreaterThan(0);
    expect(worker.logged('stored callback cannot be read and is dropped').length).toBeGreaterThan(0);
    // A message with harmless damage is a call like any other.
    expect(fn.invocations.length).toBeGreaterThan(callIds.length + 1);
    expect(await client.accept('echo', { callbackUrl: inbox.url })).not.toBe('');
    await inbox.waitForCallbacks(callIds.length + 1);
  },
  limitMs * 3,
);
