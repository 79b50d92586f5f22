import { startNatsServer } from '@asyncfn/nats-server';
import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import { eventually, freePort, startCallbackReceiver, startTestFunction, status } from '@asyncfn/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe, expect, inject, test } from 'vitest';
import { startStack } from './harness/stack.ts';

/** Settings under which everything that waits does so for a moment. */
const quick = { CALLBACK_RETRY_SCHEDULE: '300ms,300ms', RETRY_MIN_WAIT: '300ms', ACK_WAIT: '2s' };

/** The streams of a server, asked without a word of domains. */
async function streamsOf(url: string): Promise<string[]> {
  await using connection = await connect({ servers: url });
  const names: string[] = [];
  for await (const name of (await jetstreamManager(connection)).streams.names()) {
    names.push(name);
  }
  return names;
}

async function post(url: string, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(url, { method: 'POST', headers });
}

/** Calls that use every kind of record that we keep. */
async function useEverything(stack: Stack): Promise<void> {
  await using echo = await startTestFunction();
  await using flaky = await startTestFunction({ handler: status(503, { times: 1 }) });
  await using broken = await startTestFunction({ handler: status(400) });
  await using receiver = await startCallbackReceiver({ respond: status(500, { times: 1 }) });
  const { url } = stack.gateway;
  await using client = new ApiClient(url);
  await using calls = new CallClient(url);
  const functions = `${url}/system/functions`;
  const headers = { 'Content-Type': 'application/json' };
  for (const [name, target] of Object.entries({ echo, flaky, broken, still: echo })) {
    const body = JSON.stringify({ url: target.url });
    expect((await fetch(`${functions}/${name}`, { method: 'PUT', headers, body })).ok).toBe(true);
  }
  await client.acceptMany('echo', 5, { callbackUrl: receiver.url });
  await receiver.waitForCallbacks(6); // the first of them was tried again
  await client.acceptMany('flaky', 1);
  await flaky.waitForInvocations(2);

  expect((await post(`${url}/async-function/broken`, { 'X-Call-Id': 'rejected' })).status).toBe(202);
  await calls.until('rejected', 'failed');
  const letters = `${url}/system/dead-letters`;
  await eventually(async () => (await fetch(`${letters}/rejected`)).ok);
  expect(await (await fetch(letters)).json()).toMatchObject({ deadLetters: [{ callId: 'rejected' }] });
  expect((await post(`${letters}/rejected/replay`)).status).toBe(202);
  await broken.waitForInvocations(2);

  expect((await post(`${functions}/still/pause`)).ok).toBe(true);
  const [kept, dropped] = await client.acceptMany('still', 2);
  expect(await calls.ask(dropped!, '', 'DELETE')).toMatchObject({ status: 202 });
  expect((await post(`${functions}/still/resume`)).ok).toBe(true);
  await calls.until(kept!, 'succeeded');
  expect((await post(`${url}/async-function/still`, { 'X-Delay': '1s', 'X-Call-Id': 'later' })).status).toBe(202);
  await calls.until('later', 'succeeded');
  await stack.untilSettled();
  const once = { 'Idempotency-Key': 'one', 'X-Expires-In': '1m' };
  const answers = [await post(`${url}/async-function/echo`, once), await post(`${url}/async-function/echo`, once)];
  expect(answers.map((answer) => answer.headers.get('idempotency-replayed'))).toEqual([null, 'true']);
}

describe('with NATS_DOMAIN', () => {
  test('gateway and worker at a leaf node keep everything in the hub, also after the two were apart', async () => {
    const port = await freePort();
    await using stack = await startStack({
      functions: {},
      gateways: 0,
      workers: 0,
      natsDomain: 'hub',
      natsConfig: `leafnodes { listen: "127.0.0.1:${port}" }`,
      env: { NATS_DOMAIN: 'hub', ...quick },
    });
    await using leaf = await startNatsServer({
      bin: inject('natsServerBin'),
      domain: 'leaf',
      config: `leafnodes { reconnect: "1s", remotes: [{ url: "nats://127.0.0.1:${port}" }] }`,
    });
    const atLeaf = { NATS_URL: leaf.url };
    await Promise.all([stack.startGateway(atLeaf), stack.startWorker(atLeaf)]);
    await useEverything(stack);
    expect(await stack.untilAudited()).toBe(0);
    expect(await streamsOf(leaf.url)).toEqual([]);
    expect(await streamsOf(stack.nats.url)).toEqual(expect.arrayContaining(['CALLS_default', 'KV_FUNCTIONS']));

    await stack.nats.restart({ signal: 'SIGKILL' });
    await using echo = await startTestFunction();
    await stack.writeFunctions({ after: echo.url });
    await eventually(async () => (await post(`${stack.gateway.url}/async-function/after`)).status === 202, {
      timeoutMs: 30_000,
    });
    await echo.waitForInvocations(1);
  }, 120_000);

  test('a domain that nothing answers for is waited for, and the log says what to check', async () => {
    await using stack = await startStack({ functions: {}, gateways: 0, workers: 0, natsDomain: 'hub' });
    const worker = await stack.spawn('worker', { NATS_DOMAIN: 'hubb' });
    const line = await worker.untilLogged('queue topology is not in place yet');
    expect(JSON.stringify(line)).toMatch(/no JetStream answers for domain hubb at .*: check NATS_DOMAIN/);
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
  });
});
