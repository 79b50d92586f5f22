import { setTimeout as sleep } from 'node:timers/promises';
import { AsyncfnClient } from '@asyncfn/client';
import type { Stack } from '@asyncfn/stack';
import { eventually, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

function momentsOf(target: TestFunction, name: string): string[] {
  const own = target.invocations.filter(({ headers }) => headers['x-schedule-name'] === name);
  return own.map(({ headers }) => String(headers['x-scheduled-at']));
}

/** Kills a gateway and a worker, and starts others. */
async function replaceOne(stack: Stack, at: number): Promise<void> {
  stack.gateways[at]?.kill('SIGKILL');
  stack.workers[at]?.kill('SIGKILL');
  await Promise.all([stack.startGateway(), stack.startWorker()]);
}

test.concurrent('every 2s for a minute, while gateways and workers are killed in turn: no moment is missed or called twice', async () => {
  await using target = await startTestFunction();
  await using stack = await startStack({ functions: { target: target.url }, gateways: 3, workers: 3 });
  const begunAt = Date.now();
  const { schedules } = new AsyncfnClient({ url: stack.gateway.url });
  const {
    next: [first = ''],
  } = await schedules.put('tick', { function: 'target', every: '2s' });
  for (let at = 0; Date.now() < begunAt + 60_000; at++) {
    await sleep(4_000);
    await replaceOne(stack, at);
  }
  const last = Math.floor((Date.now() - Date.parse(first)) / 2_000);
  // A call that a dead worker has taken comes back after its lease, and a function may see it twice; it is one call.
  const calls = await eventually(() => {
    const byMoment = new Map(target.invocations.map(({ headers }) => [String(headers['x-scheduled-at']), headers]));
    return byMoment.size > last && byMoment;
  });
  const expected = Array.from({ length: last + 1 }, (_, index) => Date.parse(first) + 2_000 * index);
  expect([...calls.keys()].toSorted().slice(0, last + 1)).toEqual(expected.map((at) => new Date(at).toISOString()));
  expect(last + 1).toBeGreaterThanOrEqual(29);
  expect(new Set(target.invocations.map(({ callId }) => callId)).size).toBe(calls.size);
  // A worker that dies holds up a moment for a second, and a busy machine some more.
  const fired = stack.workers.flatMap(({ logs }) => logs.filter(({ msg }) => msg === 'schedule has fired'));
  expect(fired.length).toBeGreaterThan(20);
  expect(Math.max(...fired.map((line) => Number(line['lateMs'])))).toBeLessThan(20_000);
}, 300_000);

test.concurrent('after an outage of three periods none of them, the latest or all are made up for', async () => {
  await using target = await startTestFunction();
  await using stack = await startStack({ functions: { target: target.url } });
  const kinds = ['none', 'latest', 'all'] as const;
  const first = new Map<string, number>();
  const { schedules } = new AsyncfnClient({ url: stack.gateway.url });
  for (const catchUp of kinds) {
    const {
      next: [at = ''],
    } = await schedules.put(catchUp, { function: 'target', every: '12s', catchUp });
    first.set(catchUp, Date.parse(at));
  }
  await eventually(() => kinds.every((kind) => momentsOf(target, kind).length === 1));
  stack.worker.kill('SIGKILL');
  await sleep((first.get('all') ?? 0) + 3 * 12_000 + 6_000 - Date.now());
  await stack.startWorker();
  const after = (kind: string): number[] => {
    const passed = momentsOf(target, kind).map((at) => (Date.parse(at) - (first.get(kind) ?? 0)) / 12_000);
    return passed.filter((count) => count > 0 && count < 4);
  };
  await eventually(() => kinds.every((kind) => momentsOf(target, kind).length > after(kind).length + 1), {
    timeoutMs: 60_000,
  });
  expect(kinds.map(after)).toEqual([[], [3], [1, 2, 3]]);
}, 300_000);
