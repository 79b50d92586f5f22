import { ApiClient } from '@asyncfn/stack';
import { eventually, gate, startTestFunction, status } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const retry = { attempts: 1, minWait: '2s', maxWait: '2s', backoff: 'exponential' };

test('100 duplicates at once through three gateways are one call', async () => {
  await using target = await startTestFunction();
  await using stack = await startStack({ functions: { target: target.url }, gateways: 3 });
  await using one = new ApiClient(stack.gateways[0]?.url ?? '');
  await using two = new ApiClient(stack.gateways[1]?.url ?? '');
  await using three = new ApiClient(stack.gateways[2]?.url ?? '');
  const request = { headers: { 'Idempotency-Key': 'order-17/paid' }, body: 'the same each time', target: '/a?b=c' };
  const clients = Array.from({ length: 100 }, (_, n) => [one, two, three][n % 3] ?? one);
  const answers = await Promise.all(clients.map((client) => client.call('target', request)));

  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
  expect(new Set(answers.map(({ callId }) => callId)).size).toBe(1);
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(new Set(answers.map(({ headers }) => headers['x-start-time'])).size).toBe(1);
  const replayed = answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true');
  expect(replayed).toHaveLength(99);
  await target.waitForInvocations(1);
  // A second call would be invoked before this one.
  const last = await one.accept('target');
  await eventually(() => target.countBy(last) === 1);
  expect(target.invocations).toHaveLength(2);
  expect(target.invocations[0]?.headers).toMatchObject({ 'idempotency-key': 'order-17/paid' });
  const counted = await Promise.all(stack.gateways.map((each) => each.metric('gateway_calls_replayed_total')));
  expect(counted.reduce((sum, count) => sum + count, 0)).toBe(99);
});

describe('a call that is repeated with its key', () => {
  test('is the first one, whatever became of that', async () => {
    const held = gate();
    await using holding = await startTestFunction({ handler: held.handler });
    await using failing = await startTestFunction({ handler: status(503) });
    await using stack = await startStack({
      functions: { holding: holding.url, failing: { url: failing.url, retry }, moving: holding.url },
      workers: 0,
    });
    await using client = new ApiClient(stack.gateway.url);
    const call = async (name: string, key: string, body = 'the same', more = {}) => {
      const answer = await client.call(name, { body, headers: { 'Idempotency-Key': key, ...more } });
      const { status: state } = JSON.parse(answer.text) as { status: unknown };
      return [answer.status, answer.callId, answer.code ?? state, answer.headers['idempotency-replayed'] ?? 'first'];
    };
    const queued = await call('holding', 'a');
    const scheduled = await call('holding', 'b', 'the same', { 'X-Delay': '1h' });
    const failed = await call('failing', 'c');
    const replay = ([code, callId, state]: unknown[]) => [code, callId, state, 'true'];
    expect(await call('holding', 'a')).toEqual(replay(queued));
    expect(await call('holding', 'b')).toEqual(replay(scheduled));
    expect(await call('holding', 'a', 'other')).toEqual([422, '', 'idempotency_key_reused', 'first']);

    await stack.startWorker();
    await holding.waitForInvocations(1);
    expect(await call('holding', 'a')).toEqual(replay(queued));
    await failing.waitForInvocations(1);
    expect(await call('failing', 'c')).toEqual(replay(failed)); // waits for its retry
    await failing.waitForInvocations(2);
    held.open();
    await eventually(async () => (await stack.worker.metric('queue_worker_calls_ended_total')) === 2);
    expect(await call('holding', 'a')).toEqual(replay(queued));
    expect(await call('failing', 'c')).toEqual(replay(failed));
    expect(await call('failing', 'c', 'other')).toEqual([422, '', 'idempotency_key_reused', 'first']);

    // The function moves to another queue, and its keys are found all the same.
    const moved = await call('moving', 'd');
    await stack.writeFunctions({ moving: { url: holding.url, queue: 'elsewhere' } });
    await eventually(async () => (await client.call('failing')).status === 404);
    expect(await call('moving', 'd')).toEqual(replay(moved));
    expect(holding.invocations).toHaveLength(2);
  });
});

test('an id that a client chose is taken while its call is known, in any state and queue', async () => {
  const held = gate();
  await using holding = await startTestFunction({ handler: held.handler });
  await using failing = await startTestFunction({ handler: status(503) });
  await using stack = await startStack({
    functions: { holding: holding.url, failing: { url: failing.url, retry, queue: 'another' } },
    workers: 0,
  });
  await using client = new ApiClient(stack.gateway.url);
  const call = async (name: string, id: string, more = {}) => {
    const answer = await client.call(name, { headers: { 'X-Call-Id': id, ...more } });
    return answer.code ?? answer.status;
  };
  const everywhere = async (id: string) => [await call('holding', id), await call('failing', id)];
  const taken = ['call_id_conflict', 'call_id_conflict'];
  expect(await call('holding', 'queued')).toBe(202);
  expect(await call('holding', 'scheduled', { 'X-Delay': '1h' })).toBe(202);
  expect(await call('failing', 'failing')).toBe(202);
  expect(await everywhere('queued')).toEqual(taken);
  expect(await everywhere('scheduled')).toEqual(taken);

  await stack.startWorker();
  await holding.waitForInvocations(1);
  await failing.waitForInvocations(1);
  expect(await everywhere('queued')).toEqual(taken); // is running
  expect(await everywhere('failing')).toEqual(taken); // waits for its retry
  held.open();
  await eventually(async () => (await stack.worker.metric('queue_worker_calls_ended_total')) === 2);
  expect(await everywhere('queued')).toEqual(taken);
  expect(await everywhere('failing')).toEqual(taken);
  expect(await call('holding', 'free')).toBe(202);
});
