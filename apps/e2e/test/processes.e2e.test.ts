import { readFile } from 'node:fs/promises';
import { ApiClient, type AppProcess, EventsClient, type LogLine, type Stack } from '@asyncfn/stack';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

interface Processes {
  readonly primary: AppProcess;
  readonly apiPorts: Set<unknown>;
  readonly opsPorts: number[];
}

/** Starts an app with this many processes and waits until each is ready. */
async function startProcesses(stack: Stack, app: 'gateway' | 'worker', count: number): Promise<Processes> {
  const primary = await stack.spawn(app, { PROCESSES: String(count) });
  const listening = (server: string): LogLine[] =>
    primary.logged('listening').filter((line) => line['server'] === server);
  await eventually(() => listening('ops').length === count);
  const opsPorts = listening('ops').map((line) => Number(line['port']));
  for (const port of opsPorts) {
    await eventually(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
  }
  return { primary, opsPorts, apiPorts: new Set(listening('api').map((line) => line['port'])) };
}

const submitted = (port: number) => readCounter(port, 'queue_worker_messages_submitted_total');
const processed = (port: number) => readCounter(port, 'queue_worker_messages_processed_total');

async function readCounter(port: number, name: string): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'm').exec(metrics)?.[1] ?? 0);
}

test('several gateways share one port, each with its own metrics, and all stop cleanly', async () => {
  await using fn = await startTestFunction();
  await using stack = await startStack({ functions: { echo: fn.url }, gateways: 0 });
  const { primary, apiPorts, opsPorts } = await startProcesses(stack, 'gateway', 3);
  expect(apiPorts.size).toBe(1);
  expect(new Set(opsPorts).size).toBe(3);
  // Connections are handed out in turn.
  const url = `http://127.0.0.1:${[...apiPorts][0]}`;
  await using client = new ApiClient(url, 30);
  await using events = await EventsClient.open(url);
  await client.acceptMany('echo', 90);
  const counts = await Promise.all(opsPorts.map(submitted));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(90);
  expect(Math.min(...counts)).toBeGreaterThan(0);
  await fn.waitForInvocations(90);
  // One of them tells what happens at all of them.
  await eventually(() => events.received + events.missed === 4 * 90);
  expect(await primary.stop()).toMatchObject({ code: 0 });
  expect(primary.logged('stopped').length).toBe(3);
});

test('several workers share the calls of a function, its concurrency holds for all of them, and all stop cleanly', async () => {
  await using fn = await startTestFunction();
  await using slow = await startTestFunction();
  await using stack = await startStack({
    functions: { echo: fn.url, single: { url: slow.url, concurrency: 1 } },
    workers: 0,
  });
  const { primary, opsPorts } = await startProcesses(stack, 'worker', 2);
  expect(new Set(opsPorts).size).toBe(2);
  await using client = new ApiClient(stack.gateway.url, 10);
  await client.acceptMany('single', 10);
  await client.acceptMany('echo', 200);
  await fn.waitForInvocations(200);
  await slow.waitForInvocations(10);
  const counts = await Promise.all(opsPorts.map(processed));
  expect(Math.min(...counts)).toBeGreaterThan(0);
  expect(slow.maxInFlight).toBe(1);
  expect(await primary.stop()).toMatchObject({ code: 0 });
  expect(primary.logged('stopped').length).toBe(2);
});

test('if one of them dies, all end, so that a supervisor starts all of them again', async () => {
  await using fn = await startTestFunction();
  await using stack = await startStack({ functions: { echo: fn.url }, gateways: 0, workers: 0 });
  const { primary } = await startProcesses(stack, 'gateway', 2);
  const [child] = (await readFile(`/proc/${primary.pid}/task/${primary.pid}/children`, 'utf8')).split(' ');
  process.kill(Number(child), 'SIGKILL');
  expect(await primary.ended(30_000)).toMatchObject({ code: 1 });
});

test('a signal that comes while they are being started stops them cleanly', async () => {
  await using stack = await startStack({ functions: {}, gateways: 0, workers: 0 });
  const primary = await stack.spawn('gateway', { PROCESSES: '2' });
  const children = `/proc/${primary.pid}/task/${primary.pid}/children`;
  await eventually(async () => (await readFile(children, 'utf8')).trim().split(' ').length === 2, { intervalMs: 5 });
  expect(await primary.stop()).toMatchObject({ code: 0 });
});

test('a mistake in the configuration is reported once, and ends it with 78', async () => {
  await using stack = await startStack({ functions: {}, gateways: 0, workers: 0 });
  const primary = await stack.spawn('gateway', { PROCESSES: '2', PUBLISH_TIMEOUT: 'soon' });
  expect(await primary.ended(30_000)).toMatchObject({ code: 78 });
  expect(primary.stderr.filter((line) => line.includes('PUBLISH_TIMEOUT'))).toHaveLength(1);
  const none = await stack.spawn('gateway', { PROCESSES: '0' });
  expect(await none.ended(30_000)).toMatchObject({ code: 78 });
  expect(none.stderr.join('\n')).toContain('PROCESSES: "0" is not a whole number between 1 and 256, or auto');
});
