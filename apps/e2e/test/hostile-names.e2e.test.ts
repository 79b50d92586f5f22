import { ApiClient, CallClient } from '@asyncfn/stack';
import { eventually, gate, startTestFunction, status } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { Operator } from './harness/broker/operator.ts';
import { startStack } from './harness/stack.ts';

/** Tokens of subjects, parts of routes, and properties of every object. */
const names: [queue: string, name: string][] = [
  ['ready', 'later'],
  ['later', 'ready.ready'],
  ['key', 'purge'],
  ['constructor', '__proto__'],
  ['0', 'constructor.prototype'],
];
const retry = { attempts: 3, minWait: '1h', maxWait: '1h', backoff: 'exponential' };

test('functions and queues with names that mean something elsewhere work like all others', async () => {
  await using quick = await startTestFunction();
  await using busy = await startTestFunction({ handler: status(503) });
  await using stack = await startStack({ functions: {} });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  const operator = new Operator(stack.gateway.url);
  for (const [queue, name] of names) {
    // By the API: DELETE keeps a function that the functions file names.
    expect(await operator.register(name, { url: quick.url, queue })).toMatchObject({ status: 201 });
    const done = await client.accept(name);
    expect(await calls.untilEnded(done), name).toMatchObject({ status: 'succeeded', function: name, queue });
    expect(await client.call(name, { headers: { 'X-Call-Id': done } })).toMatchObject({ status: 409 });

    const delayed = await client.accept(name, { headers: { 'X-Delay': '1h' } });
    expect(await calls.state(delayed)).toMatchObject({ status: 'scheduled' });
    const shown = await operator.ask('GET', `/queues/${queue}`);
    expect(shown).toMatchObject({ status: 200, body: { queue, scheduled: 1 } });
    expect(await operator.ask('DELETE', `/functions/${name}`)).toMatchObject({ status: 409, body: { calls: 1 } });
    expect(await calls.ask(delayed, '', 'DELETE')).toMatchObject({ status: 202, body: { status: 'cancelled' } });

    expect(await operator.register(name, { url: busy.url, queue, retry })).toMatchObject({ status: 200 });
    await eventually(async () => {
      const callId = await client.accept(name, { headers: { 'X-Max-Retries': '0' } });
      return (await calls.untilEnded(callId)).status === 'failed';
    });
    const retried = await client.accept(name);
    await calls.until(retried, 'retrying');
    expect(await calls.ask(retried, '', 'DELETE')).toMatchObject({ status: 202, body: { status: 'cancelled' } });

    expect(await operator.ask('POST', `/functions/${name}/pause`)).toMatchObject({ body: { paused: true } });
    await client.acceptMany(name, 3);
    await eventually(async () => (await operator.ask('GET', `/scaling/${name}`)).body['pending'] === 3);
    expect(await operator.ask('POST', `/functions/${name}/purge`)).toMatchObject({ body: { purged: 3 } });
    expect(await operator.ask('DELETE', `/functions/${name}`)).toMatchObject({ status: 204 });
    expect(await client.call(name)).toMatchObject({ status: 404, code: 'unknown_function' });
  }
  await stack.untilSettled();
});

test('a retry of a function in a queue named ready is made once, even if its worker dies with the previous attempt', async () => {
  const held = gate(status(503, { times: 1 }));
  await using fn = await startTestFunction({ handler: held.handler });
  const soon = { ...retry, minWait: '1s', maxWait: '1s' };
  await using stack = await startStack({
    functions: { later: { url: fn.url, queue: 'ready', retry: soon } },
    workerEnv: { ACK_WAIT: '2s' },
  });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  const callId = await client.accept('later');
  await fn.waitForInvocations(1);
  stack.worker.kill('SIGKILL');
  await stack.startWorker();
  await fn.waitForInvocations(2);
  held.open();
  expect(await calls.untilEnded(callId)).toMatchObject({ status: 'succeeded', attempts: 2 });
  expect(fn.invocations.map(({ headers }) => headers['x-retry'])).toEqual(['0', '0', '1']);
});
