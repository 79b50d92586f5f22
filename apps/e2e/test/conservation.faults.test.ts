import { ApiClient, startLoad } from '@asyncfn/stack';
import { eventually, gate, startTestFunction, status } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { Operator } from './harness/broker/operator.ts';
import { startStack } from './harness/stack.ts';

const drift = 'queue_worker_conservation_drift';

test('a call that vanishes from its queue without an end shows as drift in every worker, and no other call does', async () => {
  await using fn = await startTestFunction();
  const held = gate();
  await using slow = await startTestFunction({ handler: held.handler });
  await using broken = await startTestFunction({ handler: status(500) });
  const retry = { attempts: 50, minWait: '1h', maxWait: '1h' };
  await using stack = await startStack({
    functions: {
      quick: fn.url,
      slow: slow.url,
      later: { url: broken.url, retry },
      failing: { url: broken.url, retry: { attempts: 0 } },
      doomed: { url: fn.url, queue: 'doomed' },
    },
    workers: 2,
  });
  const operator = new Operator(stack.gateway.url);
  expect(await operator.ask('POST', '/functions/doomed/pause')).toMatchObject({ status: 200 });
  await using client = new ApiClient(stack.gateway.url);
  await client.acceptMany('quick', 10);
  await client.acceptMany('failing', 5);
  await client.acceptMany('later', 3);
  await client.acceptMany('slow', 3);
  await client.accept('quick', { headers: { 'X-Delay': '1h' } });
  const doomed = await client.acceptMany('doomed', 2);
  // Each end is counted, and calls that wait, are scheduled or in flight do not count as lost.
  await eventually(async () => (await auditedBy(stack.workers, 'ended')) === 15);
  expect(await Promise.all(stack.workers.map((worker) => worker.metric(drift)))).toEqual([0, 0]);

  await stack.deleteStream('CALLS_doomed');
  await eventually(async () =>
    expect(await Promise.all(stack.workers.map((worker) => worker.metric(drift)))).toEqual([2, 2]),
  );
  const reported = stack.workers.flatMap((worker) => worker.logged('accepted call is neither queued nor ended'));
  expect(reported.map((line) => String(line['callId'])).toSorted()).toEqual(doomed.toSorted());
  held.open();
});

test('there is no drift after gateways and workers were killed under load', async () => {
  await using fn = await startTestFunction();
  await using stack = await startStack({
    functions: { echo: { url: fn.url, retry: { attempts: 3, minWait: '1s', maxWait: '1s' } } },
    gateways: 2,
    workers: 2,
    workerEnv: { ACK_WAIT: '2s' },
  });
  const clients = stack.gateways.map(({ url }) => new ApiClient(url, 4));
  await using one = clients[0]!;
  await using two = clients[1]!;
  const loads = [startLoad(one, 'echo', 4), startLoad(two, 'echo', 4)];
  await eventually(() => fn.invocations.length > 200);
  stack.gateways[0]!.kill('SIGKILL');
  stack.workers[0]!.kill('SIGKILL');
  const before = fn.invocations.length;
  await eventually(() => fn.invocations.length > before + 200);
  await Promise.all(loads.map((load) => load.stop()));
  await stack.untilSettled();
  expect(await stack.untilAudited()).toBe(0);
  expect(await stack.workers[1]!.metric(drift)).toBe(0);
  expect(await stack.workers[1]!.metric('queue_worker_calls_audited_total')).toBeGreaterThan(0);
});

async function auditedBy(
  workers: readonly { ops(path: '/metrics'): Promise<{ readonly body: string }> }[],
  finding: string,
): Promise<number> {
  const bodies = await Promise.all(workers.map((worker) => worker.ops('/metrics')));
  const line = new RegExp(`^queue_worker_calls_audited_total\\{finding="${finding}"\\} (\\d+)$`, 'm');
  return bodies.reduce((sum, { body }) => sum + Number(line.exec(body)?.[1] ?? 0), 0);
}
