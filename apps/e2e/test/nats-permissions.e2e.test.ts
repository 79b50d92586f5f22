import { readFile } from 'node:fs/promises';
import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { ApiClient, CallClient, EventsClient, type Stack } from '@asyncfn/stack';
import { eventually, freePort, gate, startCallbackReceiver, startTestFunction, status } from '@asyncfn/testkit';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { useSchedule } from './harness/use-everything.ts';

const shipped = new URL('../../../deploy/nats-permissions.conf', import.meta.url);
const permissionsPage = new URL('../../../docs/nats-permissions.md', import.meta.url);
const passwords = { gateway: 'of-the-gateway', worker: 'of-the-worker' };

type User = keyof typeof passwords;

/** A system whose processes have only the shipped permissions. */
async function startRestricted(functions: Record<string, string>, natsConfig?: string): Promise<Stack> {
  return startStack({
    functions,
    natsConfig: natsConfig ?? (await readPermissions()),
    gatewayEnv: envOf('gateway'),
    workerEnv: {
      ...envOf('worker'),
      CALLBACK_RETRY_SCHEDULE: '300ms,300ms',
      RETRY_MIN_WAIT: '300ms',
      ACK_WAIT: '2s',
      SHUTDOWN_TIMEOUT: '100ms',
      BODY_SWEEP_AFTER: '2s',
    },
  });
}

function envOf(user: User): Record<string, string> {
  return {
    NATS_USER: user,
    NATS_PASSWORD: passwords[user],
    NATS_INBOX_PREFIX: inboxPrefix(user),
  };
}

function inboxPrefix(user: User): string {
  return `_INBOX_${user.toUpperCase()}`;
}

/** The operations that the broker refused to the processes. */
function violations({ gateways, workers }: Stack): unknown[] {
  const lines = [...gateways, ...workers].flatMap(({ logs }) => logs);
  return lines.map((line) => JSON.stringify(line['err'] ?? '')).filter((err) => /permissions? violation/i.test(err));
}

describe('with the shipped permissions', () => {
  test('calls are made, retried, called back and replayed, and functions come and go', async () => {
    await using echo = await startTestFunction();
    await using flaky = await startTestFunction({ handler: status(503, { times: 1 }) });
    await using broken = await startTestFunction({ handler: status(400) });
    await using receiver = await startCallbackReceiver({ respond: status(500, { times: 1 }) });
    await using stack = await startRestricted({ echo: echo.url, flaky: flaky.url, broken: broken.url });
    const api = `${stack.gateway.url}/async-function`;
    await using client = new ApiClient(stack.gateway.url);

    await client.acceptMany('echo', 20, { callbackUrl: receiver.url });
    await receiver.waitForCallbacks(21); // the first of them was retried
    await client.acceptMany('flaky', 1);
    await flaky.waitForInvocations(2);

    // Stored apart from its call, and looked at by the sweeper while it is a dead letter.
    const body = Buffer.alloc(700_000);
    await client.accept('echo', { body });
    await fetch(`${api}/broken`, { method: 'POST', headers: { 'X-Call-Id': 'rejected' }, body });
    const letters = `${stack.gateway.url}/system/dead-letters`;
    await eventually(async () => (await fetch(`${letters}/rejected`)).ok);
    expect(await (await fetch(letters)).json()).toMatchObject({ deadLetters: [{ callId: 'rejected' }] });
    expect((await fetch(`${letters}/rejected/replay`, { method: 'POST' })).status).toBe(202);
    await broken.waitForInvocations(2);
    await eventually(async () => (await fetch(`${letters}/rejected`)).ok);
    expect((await fetch(`${letters}/rejected`, { method: 'DELETE' })).status).toBe(204);

    await useSchedule(stack.gateway.url, echo);

    const functions = `${stack.gateway.url}/system/functions`;
    const put = {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ url: echo.url }),
    };
    expect((await fetch(`${functions}/registered`, put)).ok).toBe(true);
    await client.accept('registered');
    await echo.waitForInvocations(21);
    for (const action of ['pause', 'resume']) {
      expect((await fetch(`${functions}/registered/${action}`, { method: 'POST' })).ok).toBe(true);
    }
    // It is refused while the call that has just been answered is still in its queue.
    await eventually(async () => (await fetch(`${functions}/registered`, { method: 'DELETE' })).status === 204);
    for (const path of ['queues', 'queues/default', 'scaling/echo']) {
      expect((await fetch(`${stack.gateway.url}/system/${path}`)).ok).toBe(true);
    }

    await stack.writeFunctions({ echo: echo.url, added: { url: echo.url, queue: 'another' } });
    await eventually(async () => (await fetch(`${api}/added`, { method: 'POST' })).status === 202);
    await echo.waitForInvocations(22);
    await client.accept('echo', { headers: { 'X-Then': 'added' } });
    await echo.waitForInvocations(24);

    const batch = await fetch(`${stack.gateway.url}/async-batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'batch' },
      body: JSON.stringify({ calls: [{ function: 'echo' }, { function: 'added' }], callbackUrl: receiver.url }),
    });
    expect(batch.status).toBe(202);
    const { batchId } = (await batch.json()) as { batchId: string };
    const batchUrl = `${stack.gateway.url}/async-batch/${batchId}`;
    expect(await (await fetch(`${batchUrl}?wait=30s`)).json()).toMatchObject({ succeeded: 2, open: 0 });
    expect((await (await fetch(`${batchUrl}/results`)).text()).trim().split('\n')).toHaveLength(2);
    expect((await fetch(batchUrl, { method: 'DELETE' })).status).toBe(409);
    await receiver.waitForCallbacks(22);

    receiver.handler = status(500);
    const untold = await client.accept('echo', { callbackUrl: receiver.url });
    await eventually(async () => {
      const state = (await (await fetch(`${api}/${untold}`)).json()) as { callback?: { attempts: number } };
      return state.callback?.attempts === 1;
    });
    const listed = (await (await fetch(`${stack.gateway.url}/system/calls?limit=1`)).json()) as { calls: object[] };
    expect(listed.calls).toMatchObject([{ callId: untold, status: 'succeeded' }]);
    expect((await fetch(`${stack.gateway.url}/system/calls/${untold}`, { method: 'DELETE' })).status).toBe(204);
    receiver.handler = status(200);

    expect(violations(stack)).toEqual([]);
  });

  test('calls are followed, waited for, cancelled and purged', async () => {
    const busy = gate();
    await using slow = await startTestFunction({ handler: busy.handler });
    await using flaky = await startTestFunction({ handler: status(503) });
    await using stack = await startRestricted({ slow: slow.url, flaky: flaky.url });
    await using client = new ApiClient(stack.gateway.url);
    await using calls = new CallClient(stack.gateway.url);
    await using followed = await EventsClient.open(stack.gateway.url);
    const [done, running] = await client.acceptMany('slow', 2);
    const waiting = calls.state(done!, '?wait=1m');
    const events = fetch(`${stack.gateway.url}/async-function/${done}`, { headers: { Accept: 'text/event-stream' } });
    await calls.until(running!, 'running');
    expect(await calls.ask(running!, '', 'DELETE')).toMatchObject({ status: 202 });
    await eventually(() => slow.byCallId(running!)[0]?.aborted);
    const retrying = await client.accept('flaky');
    await calls.until(retrying, 'retrying');
    expect(await calls.ask(retrying, '', 'DELETE')).toMatchObject({ status: 202 });
    const purged = await fetch(`${stack.gateway.url}/system/queues/default/purge`, { method: 'POST' });
    expect(purged.status).toBe(200);
    busy.open();
    expect(await waiting).toMatchObject({ status: 'succeeded' });
    expect(await (await events).text()).toContain('"status":"succeeded"');
    await eventually(() => followed.kindsOf(done!).length === 4);
    expect(followed.kindsOf(done!).toSorted()).toEqual(['accepted', 'attempt', 'ended', 'started']);
    expect(violations(stack)).toEqual([]);
  });

  test('calls are handed back by a worker that is stopped, and taken over from one that is killed', async () => {
    const busy = gate();
    await using slow = await startTestFunction({ handler: busy.handler });
    await using stack = await startRestricted({ slow: slow.url });
    await using client = new ApiClient(stack.gateway.url);
    await client.accept('slow');
    await slow.waitForInvocations(1);
    await stack.worker.stop();
    const doomed = await stack.startWorker();
    await slow.waitForInvocations(2);
    doomed.kill('SIGKILL');
    await stack.startWorker();
    await slow.waitForInvocations(3);
    busy.open();
    await stack.untilSettled();
    expect(violations(stack)).toEqual([]);
  });
});

/** The shipped file for workers of one queue, as docs/nats-permissions.md describes it. */
async function narrowTo(queue: string): Promise<string> {
  const [ofGateway, ofWorker = ''] = (await readPermissions()).split('user: worker');
  return `${ofGateway}user: worker${ofWorker.replaceAll(/"(calls|flows)\.\*\./g, `"$1.${queue}.`)}`;
}

test('a worker of one queue may retry its calls, and forge none for another queue', async () => {
  await using flaky = await startTestFunction({ handler: status(503, { times: 1 }) });
  await using stack = await startRestricted({ flaky: flaky.url }, await narrowTo('default'));
  await using client = new ApiClient(stack.gateway.url);
  await client.accept('flaky');
  await flaky.waitForInvocations(2);
  await stack.untilSettled();
  expect(violations(stack)).toEqual([]);

  await using connection = await connectAs(stack.nats, 'worker');
  const forged = connection.request('calls.other.later.~.flaky.forged.~.1', '', { timeout: 2_000 });
  await expect(forged).rejects.toThrow(/permissions violation/i);
});

test('at a leaf node the shipped permissions are enough if they name the domain', async () => {
  const port = await freePort();
  await using echo = await startTestFunction();
  await using broken = await startTestFunction({ handler: status(400) });
  await using receiver = await startCallbackReceiver({ respond: status(500, { times: 1 }) });
  await using stack = await startStack({
    functions: { echo: echo.url, broken: broken.url },
    gateways: 0,
    workers: 0,
    natsDomain: 'hub',
    natsConfig: `leafnodes { listen: "127.0.0.1:${port}", authorization { user: leaf, password: pw } }`,
    gatewayEnv: envOf('gateway'),
    workerEnv: { ...envOf('worker'), CALLBACK_RETRY_SCHEDULE: '300ms' },
  });
  const named = (await readPermissions()).replaceAll('$JS.API.', '$JS.hub.API.').replaceAll('$KV.', '$JS.hub.API.$KV.');
  await using leaf = await startNatsServer({
    bin: inject('natsServerBin'),
    domain: 'leaf',
    config: `${named} leafnodes { remotes: [{ url: "nats://leaf:pw@127.0.0.1:${port}", account: ASYNCFN }] }`,
  });
  const env = { NATS_URL: leaf.url, NATS_DOMAIN: 'hub' };
  await Promise.all([stack.startGateway(env), stack.startWorker(env)]);
  await using client = new ApiClient(stack.gateway.url);
  await client.accept('echo', { callbackUrl: receiver.url });
  await receiver.waitForCallbacks(2);
  await fetch(`${stack.gateway.url}/async-function/broken`, { method: 'POST', headers: { 'X-Call-Id': 'rejected' } });
  const letters = `${stack.gateway.url}/system/dead-letters`;
  await eventually(async () => (await fetch(`${letters}/rejected`)).ok);
  expect(await (await fetch(letters)).json()).toMatchObject({ deadLetters: [{ callId: 'rejected' }] });
  for (const action of ['pause', 'resume']) {
    const path = `${stack.gateway.url}/system/functions/echo/${action}`;
    expect((await fetch(path, { method: 'POST' })).ok).toBe(true);
  }
  expect(violations(stack)).toEqual([]);
});

describe('a stolen password', () => {
  let nats: NatsServer;
  beforeAll(async () => {
    nats = await startNatsServer({ bin: inject('natsServerBin'), config: await readPermissions() });
  });
  afterAll(() => nats[Symbol.asyncDispose]());

  test.each([
    ['gateway', '$JS.API.STREAM.DELETE.CALLS_default'],
    ['gateway', '$JS.API.STREAM.DELETE.KV_FUNCTIONS'],
    ['gateway', '$JS.API.STREAM.PURGE.OUTCOMES'],
    ['gateway', '$JS.API.STREAM.MSG.DELETE.OUTCOMES'],
    ['gateway', '$JS.API.CONSUMER.MSG.NEXT.CALLS_default.echo'],
    ['gateway', '$JS.API.CONSUMER.DELETE.CALLS_default.echo'],
    ['gateway', '$JS.API.CONSUMER.MSG.NEXT.OUTCOMES.batches'],
    ['gateway', '$JS.API.CONSUMER.DELETE.OUTCOMES.batch-states'],
    ['gateway', '$JS.ACK.CALLS_default.echo.1.1.1.1.0'],
    ['gateway', 'handovers.call-1.~.1'],
    ['gateway', '_INBOX_WORKER.guessed.1'],
    ['worker', '$JS.API.STREAM.DELETE.CALLS_default'],
    ['worker', '$JS.API.STREAM.MSG.DELETE.CALLS_default'],
    ['worker', '$JS.API.STREAM.PURGE.DEAD_LETTERS'],
    ['worker', '$JS.API.STREAM.SNAPSHOT.CALLS_default'],
    ['worker', '_INBOX_GATEWAY.guessed.1'],
    ['worker', 'asyncfn.events.wanted'],
    ['worker', 'asyncfn.processes.who'],
  ] as const)('the %s may not send to %s', async (user, subject) => {
    const connection = await connectAs(nats, user);
    try {
      await expect(connection.request(subject, '', { timeout: 2_000 })).rejects.toThrow(/permissions violation/i);
    } finally {
      await connection.close();
    }
  });

  test('the worker may send to subjects of retries, which are those of delayed calls: the docs say so', async () => {
    await using connection = await connectAs(nats, 'worker');
    // Permitted, but no stream exists that takes it.
    const forged = connection.request('calls.default.later.~.echo.forged.~.1', '', { timeout: 2_000 });
    await expect(forged).rejects.toThrow(/no responders/i);
    expect(await readFile(permissionsPage, 'utf8')).toContain("**The worker's user can forge calls.**");
  });

  test.each([
    ['gateway', '_INBOX_WORKER.>'],
    ['gateway', 'calls.>'],
    ['gateway', '>'],
    ['worker', '_INBOX_GATEWAY.>'],
    ['worker', 'calls.>'],
    ['worker', '$JS.ACK.>'],
    ['worker', 'asyncfn.events.happened'],
    ['worker', 'asyncfn.processes.here'],
  ] as const)('the %s may not listen to %s', async (user, subject) => {
    const connection = await connectAs(nats, user);
    const refused = new Promise<Error | null>((resolve) => {
      connection.subscribe(subject, { callback: (error) => resolve(error) });
    });
    expect(String(await refused)).toMatch(/permissions violation/i);
    await connection.close();
  });
});

/** The shipped file, with passwords in place of variables of the environment. */
async function readPermissions(): Promise<string> {
  const variables = `GATEWAY_NATS_PASSWORD: ${passwords.gateway}\nWORKER_NATS_PASSWORD: ${passwords.worker}\n`;
  return variables + (await readFile(shipped, 'utf8'));
}

function connectAs({ url }: NatsServer, user: User): Promise<NatsConnection> {
  return connect({ servers: url, user, pass: passwords[user], inboxPrefix: inboxPrefix(user) });
}
