import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient, CallClient, type Env, type Stack } from '@asyncfn/stack';
import { eventually, sleep, startTestFunction, status } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { Operator } from './harness/broker/operator.ts';
import { startStack } from './harness/stack.ts';

const short = 'hash';
const long = 'hash.openfaas-fn';
const openfaas: Env = { DEFAULT_NAMESPACE: 'openfaas-fn' };
const secondName =
  'calls of a function wait under its second name: from before DEFAULT_NAMESPACE was set, or by a gateway without it';
const fastRetry = { attempts: 0, minWait: '10ms', maxWait: '10ms' };

/** Processes that read this file. */
async function startWith(text: object | string, options: { env?: Env; gatewayEnv?: Env; workerEnv?: Env } = {}) {
  const stack = await startStack({ functions: {}, gateways: 0, workers: 0, ...options });
  await writeFile(stack.functionsFile, typeof text === 'string' ? text : JSON.stringify(text));
  await stack.startGateway();
  await stack.startWorker();
  return stack;
}

/** The consumers of functions on the default queue, by name. */
async function consumers(stack: Stack): Promise<string[]> {
  const response = await fetch(`${stack.nats.monitorUrl}/jsz?consumers=true&streams=true`);
  const names = (await response.text()).replace(/\s/g, '').match(/"name":"hash[^"]*"/g) ?? [];
  return [...new Set(names.map((name) => name.slice(8, -1)))].sort();
}

describe.each([
  [
    'every name is a function',
    (url: string) => ({ defaults: { url: `${url}/{name}`, concurrency: 1, retry: fastRetry } }),
  ],
  [
    'the function is registered',
    (url: string) => ({ functions: { [long]: { url, concurrency: 1, retry: fastRetry } } }),
  ],
])('with DEFAULT_NAMESPACE, where %s', (_, toFile) => {
  test('NAME and NAME.openfaas-fn are one function: one cap, one state, one pause, one queue', async () => {
    await using fn = await startTestFunction({ handler: sleep(20) });
    await using stack = await startWith(toFile(fn.url), { env: openfaas });
    await using client = new ApiClient(stack.gateway.url);
    await using asker = new CallClient(stack.gateway.url);
    const operator = new Operator(stack.gateway.url);
    const callIds = await Promise.all(Array.from({ length: 12 }, (_, i) => client.accept(i % 2 ? short : long)));
    await stack.untilSettled();
    expect(fn.maxInFlight).toBe(1);
    const states = await Promise.all(callIds.map((callId) => asker.state(callId)));
    expect(states.map((state) => [state['function'], state.status])).toEqual(states.map(() => [short, 'succeeded']));
    const accepted = await client.call(long, { headers: { 'Idempotency-Key': 'once' } });
    expect(JSON.parse(accepted.text)).toMatchObject({ function: short });
    expect(await client.call(short, { headers: { 'Idempotency-Key': 'once' } })).toMatchObject({
      status: 202,
      callId: accepted.callId,
    });
    await asker.untilEnded(accepted.callId);
    await eventually(async () => {
      const { body } = await operator.ask('GET', '/queues/default');
      expect(body['functions']).toEqual([{ function: short, depth: 0, inFlight: 0, paused: false }]);
      return true;
    });
    expect(await consumers(stack)).toEqual(['hash']);
    const metrics = await Promise.all([stack.gateway.ops('/metrics'), stack.worker.ops('/metrics')]);
    const labels = metrics.flatMap(({ body }) => body.match(/function_name="[^"]*"/g) ?? []);
    expect(new Set(labels)).toEqual(new Set([`function_name="${short}"`]));
    for (const name of [short, long]) {
      expect(await operator.ask('GET', `/scaling/${name}`)).toMatchObject({ status: 200, body: { pending: 0 } });
    }
  });
});

describe('the operators of a function', () => {
  test('may call it by either name', async () => {
    await using fn = await startTestFunction({ handler: status(400) });
    await using stack = await startWith({}, { env: openfaas });
    const operator = new Operator(stack.gateway.url);
    await using client = new ApiClient(stack.gateway.url);
    await using asker = new CallClient(stack.gateway.url);
    const created = await operator.register(long, { url: fn.url, retry: fastRetry });
    expect(created).toMatchObject({ status: 201, body: { name: short, defaultNamespace: 'openfaas-fn' } });
    const changed = await operator.register(short, { ...created.body, concurrency: 2 }, { 'If-Match': created.etag });
    expect(changed).toMatchObject({ status: 200 });
    for (const name of [short, long]) {
      expect(await operator.show(name)).toMatchObject({ etag: changed.etag, body: { name: short, concurrency: 2 } });
    }
    expect((await operator.ask('GET', '/functions')).body).toMatchObject({ functions: [{ name: short }] });

    expect((await operator.ask('POST', `/functions/${long}/pause`)).body).toMatchObject({ name: short, paused: true });
    const waiting = [await client.accept(short), await client.accept(long)];
    expect((await operator.ask('DELETE', `/functions/${long}`)).body).toMatchObject({ calls: 2 });
    expect((await operator.ask('POST', `/functions/${long}/purge`)).body).toEqual({ purged: 2, done: true });
    for (const callId of waiting) {
      expect(await asker.state(callId)).toMatchObject({ status: 'cancelled', function: short });
    }
    await operator.ask('POST', `/functions/${short}/resume`);

    const failing = [await client.accept(long), await client.accept(short)];
    await stack.untilSettled();
    for (const name of [short, long]) {
      const { body } = await operator.ask('GET', `/dead-letters?function=${name}`);
      expect(body['deadLetters']).toHaveLength(2);
    }
    const replay = { body: { function: long, reason: 'rejected' } };
    expect((await operator.ask('POST', '/dead-letters/replay', replay)).body).toMatchObject({ replayed: 2 });
    await stack.untilSettled();
    expect(failing.map((callId) => fn.countBy(callId))).toEqual([2, 2]);
    expect((await operator.ask('DELETE', `/functions/${long}`)).status).toBe(204);
    expect([(await client.call(short)).status, (await client.call(long)).status]).toEqual([404, 404]);
  });

  test('give rights to it by either name', async () => {
    await using fn = await startTestFunction();
    await using stack = await startWith(
      { functions: { [short]: { url: fn.url }, other: { url: fn.url } } },
      { env: openfaas },
    );
    const secret = (name: string) => `${name}-`.padEnd(40, 'x');
    const hash = async (text: string) =>
      `sha256:${Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('hex')}`;
    const names = { [short]: [short], [long]: [long], 'all-of-it': ['*.openfaas-fn'], elsewhere: ['*.dev', 'other'] };
    const tokens = await Promise.all(
      Object.entries(names).map(async ([name, functions]) => [
        name.replace('.', '_'),
        { hash: await hash(secret(name)), scopes: ['invoke', 'read'], functions },
      ]),
    );
    const path = join(stack.folder, 'tokens.yaml');
    await writeFile(path, JSON.stringify({ tokens: Object.fromEntries(tokens) }));
    const gateway = await stack.startGateway({ AUTH_TOKENS_FILE: path });
    await using client = new ApiClient(gateway.url);
    const ask = async (token: string, name: string) => {
      const headers = { Authorization: `Bearer ${secret(token)}` };
      const scaling = await fetch(`${gateway.url}/system/scaling/${name}`, { headers });
      return [(await client.call(name, { headers })).status, scaling.status];
    };
    for (const name of [short, long]) {
      expect(await ask(short, name)).toEqual([202, 200]);
      expect(await ask(long, name)).toEqual([202, 200]);
      expect(await ask('all-of-it', name)).toEqual([202, 200]);
      expect(await ask('elsewhere', name)).toEqual([403, 403]);
    }
  });
});

test('a stack.yaml serves clients of OpenFaaS, also at a gateway without the file', async () => {
  await using fn = await startTestFunction({ handler: sleep(20) });
  const text = `provider: { name: openfaas, gateway: "${fn.url}" }
functions: { hash: { image: hash, annotations: { com.openfaas.retry.attempts: "0" } } }`;
  await using stack = await startWith(text);
  const other = await stack.startGateway({ FUNCTIONS_FILE: '' });
  for (const { url } of [stack.gateway, other]) {
    await using client = new ApiClient(url);
    const callIds = [await client.accept(long), await client.accept(short)];
    await stack.untilSettled();
    expect(callIds.map((callId) => fn.byCallId(callId)[0]?.url)).toEqual(['/function/hash', '/function/hash']);
    expect((await client.call('hash.dev')).status).toBe(404);
  }
  expect(await consumers(stack)).toEqual(['hash']);
});

describe('a change of DEFAULT_NAMESPACE', () => {
  test('loses no call that waits under the long name, whether it is ready, delayed or a retry', async () => {
    await using fn = await startTestFunction({ handler: status(503, { times: 1 }) });
    const retry = { attempts: 3, minWait: '2s', maxWait: '2s', backoff: 'exponential' };
    await using stack = await startWith({ defaults: { url: fn.url, concurrency: 1, retry } });
    await using before = new ApiClient(stack.gateway.url);
    await using looker = new CallClient(stack.gateway.url);
    const retried = [await before.accept(long), await before.accept(short)];
    await Promise.all(retried.map((callId) => looker.until(callId, 'retrying')));
    await stack.worker.stop();
    const ready = [...(await before.acceptMany(long, 3)), ...(await before.acceptMany(short, 3))];
    const delayed = await before.accept(long, { headers: { 'X-Delay': '3s' } });
    expect(await consumers(stack)).toEqual(['hash', 'hash@openfaas-fn']);
    await stack.gateway.stop();

    const gateway = await stack.startGateway(openfaas);
    const operator = new Operator(gateway.url);
    expect((await operator.ask('GET', '/queues/default')).body).toMatchObject({ functions: [{ function: short }] });
    const worker = await stack.startWorker(openfaas);
    await using after = new ApiClient(gateway.url);
    await using asker = new CallClient(gateway.url);
    const callIds = [...retried, ...ready, delayed, await after.accept(long)];
    for (const callId of callIds) {
      expect(await asker.untilEnded(callId)).toMatchObject({ status: 'succeeded', function: short, attempts: 2 });
    }
    expect(callIds.map((callId) => fn.countBy(callId))).toEqual(callIds.map(() => 2));
    expect(worker.logged(secondName)).toMatchObject([{ function: short, calledBy: long }]);
    expect((await worker.ops('/metrics')).body).not.toContain(long);
  });

  test('that only one of gateway and worker has read loses no call', async () => {
    for (const [gatewayEnv, workerEnv] of [
      [openfaas, {}],
      [{}, openfaas],
    ] as const) {
      await using fn = await startTestFunction();
      await using stack = await startWith({ defaults: { url: fn.url } }, { gatewayEnv, workerEnv });
      await using client = new ApiClient(stack.gateway.url);
      const callIds = [...(await client.acceptMany(long, 5)), ...(await client.acceptMany(short, 5))];
      await fn.waitForInvocations(10);
      await stack.untilSettled();
      expect(callIds.map((callId) => fn.countBy(callId))).toEqual(callIds.map(() => 1));
    }
  });
});
