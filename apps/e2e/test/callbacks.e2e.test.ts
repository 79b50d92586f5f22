import { ApiClient } from '@asyncfn/stack';
import {
  eventually,
  gate,
  type RequestHandler,
  startCallbackReceiver,
  startTestFunction,
  status,
} from '@asyncfn/testkit';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { Records } from './harness/broker/records.ts';
import { startStack } from './harness/stack.ts';
import { grainMs, measureLatencies, percentile, waitsMs } from './harness/timing.ts';

describe('a receiver that is down', () => {
  test('gets all its callbacks once it is up, and no function is called again', async () => {
    const calls = 100;
    // On an address of its own: no other process takes the port while the receiver is down.
    const host = `127.0.0.${2 + Math.floor(Math.random() * 250)}`;
    const before = await startCallbackReceiver({ host });
    const { port } = before;
    const url = `http://${host}:${port}`;
    await before.close();
    await using fn = await startTestFunction();
    await using stack = await startStack({
      functions: { echo: fn.url },
      workerEnv: { CALLBACK_RETRY_SCHEDULE: '1s,1s,2s,2s,4s,4s,8s' },
    });
    await using records = await Records.open(stack.nats.url);
    await using client = new ApiClient(stack.gateway.url);
    const callIds = await client.acceptMany('echo', calls, { callbackUrl: url });
    // Each has been tried twice, and waits.
    await stack.worker.untilLogged('callback not delivered', ({ attempt }) => attempt === 3);
    await stack.untilSettled();
    expect(await records.storedCallbacks()).toBe(calls);
    await using after = await eventually(() => startCallbackReceiver({ host, port }));
    await after.waitForCallbacks(calls);
    await eventually(async () => (await records.storedCallbacks()) === 0);

    expect(callIds.map((callId) => after.byCallId(callId).length)).toEqual(callIds.map(() => 1));
    expect(callIds.map((callId) => fn.countBy(callId))).toEqual(callIds.map(() => 1));
    expect(after.callbacks.filter(({ headers }) => headers['x-retry'] !== '0')).toEqual([]);
  });
});

describe('a receiver that hangs', () => {
  test('with 200 callbacks does not slow those of another one', async () => {
    const hung = 200;
    await using fn = await startTestFunction();
    await using hanging = await startCallbackReceiver({ respond: gate().handler });
    await using inbox = await startCallbackReceiver();
    await using stumbling = await startCallbackReceiver({ respond: status(500, { times: 1 }) });
    await using stack = await startStack({
      functions: { echo: fn.url },
      workerEnv: { CALLBACK_TIMEOUT: '5s', CALLBACK_RETRY_SCHEDULE: '1s,1s,1s,1s,1s,1s,1s,1s' },
    });
    await using client = new ApiClient(stack.gateway.url);
    const callIds = await client.acceptMany('echo', hung, { callbackUrl: hanging.url });
    await eventually(() => hanging.inFlight > 0);
    const stumbled = await client.acceptMany('echo', 20, { callbackUrl: stumbling.url });
    // A clear result, however slow the machine is.
    const isOver = (): boolean => hanging.callbacks.length >= 12 && inbox.callbacks.length > 100;
    const latencies = await measureLatencies(client, 'echo', inbox, isOver);

    expect(latencies.length).toBeGreaterThan(100);
    expect(percentile(latencies, 0.5)).toBeLessThan(6_000);
    // A share of ten, and as many that were given up a moment ago.
    expect(hanging.maxInFlight).toBeLessThanOrEqual(10);
    // Stored callbacks come on time as well: after 1 s and its jitter of 20 %.
    await stumbling.waitForCallbacks(2 * stumbled.length);
    expect(Math.max(...stumbled.flatMap((callId) => waitsMs(stumbling, callId)))).toBeLessThan(1_200 + 20_000);
    expect(callIds.map((callId) => fn.countBy(callId))).toEqual(callIds.map(() => 1));
  });
});

describe('the answer of a receiver', () => {
  test('decides what follows', async () => {
    await using fn = await startTestFunction();
    await using target = await startCallbackReceiver();
    const answers: Record<string, RequestHandler> = {
      moved: status(302, { headers: { Location: target.url } }),
      gone: status(410),
      failing: status(500),
      recovering: status(404, { times: 2 }),
      busy: status(429, { times: 1, retryAfter: 2 }),
    };
    await using inbox = await startCallbackReceiver({
      respond: (request, response) => answers[request.callId ?? '']?.(request, response),
    });
    await using stack = await startStack({
      functions: { echo: fn.url },
      workerEnv: { CALLBACK_RETRY_SCHEDULE: '300ms,300ms,2500ms' },
    });
    await using records = await Records.open(stack.nats.url);
    await using client = new ApiClient(stack.gateway.url);
    for (const callId of Object.keys(answers)) {
      await client.accept('echo', { headers: { 'X-Call-Id': callId }, callbackUrl: inbox.url });
    }
    await inbox.waitForCallbacks(4 + 1 + 4 + 3 + 2);
    await eventually(async () => (await records.storedCallbacks()) === 0);

    const deliveries = Object.keys(answers).map((callId) => [callId, inbox.byCallId(callId).length]);
    expect(Object.fromEntries(deliveries)).toEqual({ moved: 4, gone: 1, failing: 4, recovering: 3, busy: 2 });
    expect(target.callbacks).toEqual([]);
    expect(fn.invocations).toHaveLength(Object.keys(answers).length);
    // The schedule with its jitter of 20 %, or `Retry-After` instead.
    const [first = 0, second = 0, third = 0] = waitsMs(inbox, 'failing');
    expect(Math.min(first, second)).toBeGreaterThanOrEqual(240 - grainMs);
    expect(third).toBeGreaterThanOrEqual(2_000 - grainMs);
    expect(waitsMs(inbox, 'busy')[0]).toBeGreaterThanOrEqual(2_000 - grainMs);
    const undeliverable = { kind: 'callback', reason: 'callback_undeliverable', attempts: 4 };
    expect(await records.deadLetters('failing')).toMatchObject([{ ...undeliverable, lastStatus: 500 }]);
    expect(await records.deadLetters('moved')).toMatchObject([{ ...undeliverable, lastStatus: 302 }]);
    expect(await records.deadLetters('gone')).toEqual([]);
  });
});

describe('a signed callback', () => {
  test('is verified by the standardwebhooks package with the old and the new secret, and keeps its id', async () => {
    const [newSecret, oldSecret, otherSecret] = [1, 2, 3].map(
      (byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`,
    );
    await using fn = await startTestFunction();
    await using inbox = await startCallbackReceiver({ respond: status(500, { times: 1 }) });
    await using stack = await startStack({
      functions: { echo: fn.url },
      workerEnv: { CALLBACK_SIGNING_SECRETS: `${newSecret},${oldSecret}`, CALLBACK_RETRY_SCHEDULE: '1500ms' },
    });
    await using client = new ApiClient(stack.gateway.url);
    const body = '{"total": "12 €"}';
    const callId = await client.accept('echo', { body, callbackUrl: inbox.url });
    const callbacks = await inbox.waitForCallbacks(2);

    for (const callback of callbacks) {
      const verify = (secret = ''): unknown =>
        new Webhook(secret).verify(callback.body, callback.headers as Record<string, string>);
      expect(verify(newSecret)).toEqual({ total: '12 €' });
      expect(verify(oldSecret)).toEqual({ total: '12 €' });
      expect(() => verify(otherSecret)).toThrow();
    }
    expect(callbacks.map(({ headers }) => headers['webhook-id'])).toEqual([callId, callId]);
    const [first, second] = callbacks.map(({ headers }) => Number(headers['webhook-timestamp']));
    expect(second).toBeGreaterThan(first ?? Number.NaN);
  });
});
