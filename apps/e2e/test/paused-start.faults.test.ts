import { ApiClient, type Stack } from '@asyncfn/stack';
import { eventually, startTcpProxy, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operateBroker } from './harness/broker/jetstream.ts';
import { Operator } from './harness/broker/operator.ts';
import { startStack } from './harness/stack.ts';

const waiting = 50;

let held: TestFunction;
let other: TestFunction;
let stack: Stack;

beforeAll(async () => {
  held = await startTestFunction();
  other = await startTestFunction();
  // Several processes and functions, so that a start takes more than a moment.
  const rest = Object.fromEntries(Array.from({ length: 10 }, (_, each) => [`rest-${each}`, other.url]));
  stack = await startStack({ functions: { held: held.url, other: other.url, ...rest }, workers: 2 });
  await new Operator(stack.gateway.url).ask('POST', '/functions/held/pause');
  await using client = new ApiClient(stack.gateway.url);
  await client.acceptMany('held', waiting);
});

afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await held[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

async function killAll(): Promise<void> {
  const all = [...stack.gateways, ...stack.workers];
  for (const each of all) {
    each.kill('SIGKILL');
  }
  await Promise.all(all.map(({ exited }) => exited));
}

/** Waits until all work as they should, and checks whether calls of the paused function were invoked meanwhile. */
async function expectHeld(gatewayUrl: string): Promise<void> {
  const operator = new Operator(gatewayUrl);
  const before = other.invocations.length;
  await using client = new ApiClient(gatewayUrl);
  await eventually(async () => (await client.call('other')).status === 202);
  await other.waitForInvocations(before + 1);
  // By then a round has repaired everything that it repairs.
  await eventually(async () => {
    const { body } = await operator.ask('GET', '/queues/default');
    const functions = body['functions'] as { function: string; paused: boolean }[];
    return functions.find((each) => each.function === 'held')?.paused === true;
  });
  expect((await operator.ask('GET', '/scaling/held')).body).toMatchObject({ pending: waiting, inFlight: 0 });
  expect(held.invocations).toHaveLength(0);
}

describe('calls that wait for a paused function are not invoked while everything starts', () => {
  test('and the broker has lost the consumer', async () => {
    for (let round = 0; round < 3; round++) {
      await killAll();
      await using broker = await operateBroker(stack.nats.url);
      await broker.manager.consumers.delete('CALLS_default', 'held');
      const [gateway] = await Promise.all([stack.startGateway(), stack.startWorker(), stack.startWorker()]);
      await expectHeld(gateway.url);
    }
  });

  test('and the broker comes after the others', async () => {
    await killAll();
    await stack.haltNats();
    const [gateway] = await Promise.all([stack.spawn('gateway'), stack.spawn('worker'), stack.spawn('worker')]);
    await gateway.untilListening();
    await using client = new ApiClient(gateway.url);
    expect(await client.call('held')).toMatchObject({ status: 503, code: 'broker_unavailable' });
    await stack.nats.restart();
    await expectHeld(gateway.url);
  });

  test('and the broker is slow, and has lost the consumer', async () => {
    await killAll();
    await using broker = await operateBroker(stack.nats.url);
    await broker.manager.consumers.delete('CALLS_default', 'held');
    await using line = await startTcpProxy({ port: stack.nats.port });
    line.delay(100);
    const env = { NATS_URL: `nats://${line.host}:${line.port}` };
    const [gateway] = await Promise.all([stack.spawn('gateway', env), stack.spawn('worker', env)]);
    await gateway.untilReady();
    await expectHeld(gateway.url);
    await killAll();
  });
});

test('calls of a function that was paused while a worker was cut off are not invoked when it is back', async () => {
  await killAll();
  const gateway = await stack.startGateway();
  const operator = new Operator(gateway.url);
  await using client = new ApiClient(gateway.url);
  await using broker = await operateBroker(stack.nats.url);
  await using line = await startTcpProxy({ port: stack.nats.port });
  const worker = await stack.startWorker({ NATS_URL: `nats://${line.host}:${line.port}` });
  for (let round = 0; round < 5; round++) {
    await using fn = await startTestFunction();
    const name = `cut-${round}`;
    await operator.register(name, { url: fn.url });
    await client.accept(name);
    await fn.waitForInvocations(1);
    await eventually(async () => (await operator.ask('GET', `/scaling/${name}`)).body['inFlight'] === 0);
    line.cut();
    await worker.untilLogged('NATS connection lost', () => worker.logged('NATS connection lost').length > round);
    await operator.ask('POST', `/functions/${name}/pause`);
    await client.acceptMany(name, waiting);
    // Processes that notice it create it again.
    await broker.manager.consumers.delete('CALLS_default', name);
    line.heal();
    await worker.untilReady();
    await eventually(async () => (await broker.manager.consumers.info('CALLS_default', name)).paused === true);
    const { num_pending: pending } = await broker.manager.consumers.info('CALLS_default', name);
    expect([fn.invocations.length, pending]).toEqual([1, waiting]);
  }
});
