import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import { echo, eventually, gate, type RequestHandler, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const retry = { attempts: 3, minWait: '200ms', maxWait: '200ms', backoff: 'exponential' };

let stack: Stack;
let fn: TestFunction;
let client: ApiClient;
let calls: CallClient;
let keys = 0;

beforeAll(async () => {
  fn = await startTestFunction();
  stack = await startStack({
    functions: {
      fn: { url: fn.url, retry },
      pair: { url: fn.url, flow: { parallelism: 2 } },
    },
    workers: 3,
    // A worker that stands still for longer loses its calls, rightly, and they run again.
    workerEnv: { ACK_WAIT: '10s' },
  });
  client = new ApiClient(stack.gateway.url);
  calls = new CallClient(stack.gateway.url);
});

beforeEach(() => {
  fn.handler = echo;
});

afterAll(async () => {
  await Promise.all([stack, fn, client, calls].map((part) => part[Symbol.asyncDispose]()));
});

/** A key that no other test uses. */
function newKey(): string {
  keys += 1;
  return `order-${keys}/~"`;
}

interface Sent {
  readonly name?: string;
  readonly control?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function accept(key: string, body: string, { name = 'fn', control, headers = {} }: Sent = {}): Promise<string> {
  const flow = { 'X-Flow-Key': key, ...(control !== undefined && { 'X-Flow-Control': control }) };
  return client.accept(name, { body, headers: { ...headers, ...flow } });
}

/** Calls of a key, one accepted after the other. Bodies are `KEY#0`, `KEY#1`, ... */
async function acceptAll(key: string, count: number, sent: Sent = {}): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    ids.push(await accept(key, `${key}#${n}`, sent));
  }
  return ids;
}

/** Bodies of the calls of a key as the function got them. */
function gotten(key: string): string[] {
  return fn.invocations.map(({ body }) => body.toString()).filter((body) => body.startsWith(`${key}#`));
}

function inOrder(key: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${key}#${n}`);
}

/** Most calls of one key that the function had at once. */
function watchKeys(handler: RequestHandler): { handler: RequestHandler; most: () => number } {
  const now = new Map<string, number>();
  let most = 0;
  return {
    most: () => most,
    handler: async (request, response) => {
      const key = request.body.toString().split('#')[0] ?? '';
      const count = (now.get(key) ?? 0) + 1;
      now.set(key, count);
      most = Math.max(most, count);
      await handler(request, response);
      now.set(key, count - 1);
    },
  };
}

async function operate(path: string, method = 'POST'): Promise<Record<string, unknown>> {
  const response = await fetch(`${stack.gateway.url}/system/${path}`, { method });
  return (await response.json()) as Record<string, unknown>;
}

/** Waits until a key is shown with these values: places of calls that have their turn are removed a moment later. */
async function showsFlow(path: string, expected: Readonly<Record<string, unknown>>): Promise<void> {
  await eventually(async () => {
    expect(await operate(path, 'GET')).toMatchObject(expected);
    return true;
  });
}

describe('calls of a flow key', () => {
  test('run one at a time over all workers, in the order in which they were accepted', async () => {
    const watched = watchKeys(echo);
    fn.handler = watched.handler;
    const all = Array.from({ length: 10 }, newKey);
    const ids = await Promise.all(all.map((key) => acceptAll(key, 15)));
    await Promise.all(ids.flat().map((id) => calls.untilEnded(id)));
    expect(all.map(gotten)).toEqual(all.map((key) => inOrder(key, 15)));
    expect(watched.most()).toBe(1);
  });

  test('that wait do so in their queue, hold up no other key, and say what they wait for', async () => {
    const held = gate();
    const slow = newKey();
    const other = newKey();
    fn.handler = (request, response) =>
      request.body.toString().startsWith(slow) ? held.handler(request, response) : echo(request, response);
    const first = await accept(slow, `${slow}#0`);
    await calls.until(first, 'running');
    const ids = await client.acceptMany('fn', 199, { body: `${slow}#1`, headers: { 'X-Flow-Key': slow } });
    for (const id of [ids[0], ids[198]]) {
      expect(await calls.state(id ?? '')).toMatchObject({ status: 'queued', waitingFor: 'flow' });
    }
    const free = await accept(other, `${other}#0`);
    expect(await calls.untilEnded(free)).toMatchObject({ status: 'succeeded' });
    expect(gotten(slow)).toHaveLength(1);
    // The other call leaves its queue a moment after it has ended.
    await eventually(async () => (await operate('scaling/fn', 'GET'))['inFlight'] === 1);
    expect(await operate('scaling/fn', 'GET')).toMatchObject({ pending: 0, inFlight: 1 });
    expect(await operate('functions/fn/purge')).toMatchObject({ purged: 199 });
    held.open();
    expect(await calls.untilEnded(first)).toMatchObject({ status: 'succeeded' });
    expect(await calls.state(ids[198] ?? '')).toMatchObject({ status: 'cancelled' });
    const next = await accept(slow, `${slow}#200`);
    expect(await calls.untilEnded(next)).toMatchObject({ status: 'succeeded' });
  });

  test('keep their place while they wait for a retry', async () => {
    const key = newKey();
    let failures = 2;
    fn.handler = (request, response) =>
      request.body.toString() === `${key}#0` && failures-- > 0
        ? void response.writeHead(503).end()
        : echo(request, response);
    const ids = await acceptAll(key, 3);
    await calls.untilEnded(ids[2] ?? '');
    expect(gotten(key)).toEqual([`${key}#0`, `${key}#0`, ...inOrder(key, 3)]);
  });

  test('have the limits of a function that are set and shown by the API', async () => {
    const url = `${stack.gateway.url}/system/functions/limited`;
    const flow = { parallelism: 3, rate: '10/1m' };
    const put = await fetch(url, { method: 'PUT', body: JSON.stringify({ url: fn.url, flow }) });
    expect([await put.json(), await operate('functions/limited', 'GET')]).toMatchObject([{ flow }, { flow }]);
    const refused = await fetch(url, {
      method: 'PUT',
      body: JSON.stringify({ url: fn.url, flow: { parallelism: 0 } }),
    });
    expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('flow.parallelism must be') });
  });

  test('run as many at once as the settings of the function say, or else the caller', async () => {
    const held = gate();
    const watched = watchKeys(held.handler);
    fn.handler = watched.handler;
    const [one, two] = [newKey(), newKey()];
    const limited = await acceptAll(one, 4, { name: 'pair', control: 'parallelism=3' });
    const named = await acceptAll(two, 4, { control: 'parallelism=3' });
    await eventually(() => gotten(one).length === 2 && gotten(two).length === 3);
    held.open();
    await Promise.all([...limited, ...named].map((id) => calls.untilEnded(id)));
    expect(watched.most()).toBe(3);
  });

  test('go on when one of them is cancelled, whether it runs, waits for its turn or is delayed', async () => {
    const held = gate();
    const key = newKey();
    fn.handler = held.handler;
    const ids = await acceptAll(key, 4);
    const late = await accept(key, `${key}#late`, { headers: { 'X-Delay': '1h' } });
    await calls.until(ids[0] ?? '', 'running');
    for (const id of [ids[2], late, ids[0]]) {
      expect(await calls.ask(id ?? '', '', 'DELETE')).toMatchObject({ status: 202, body: { status: 'cancelled' } });
    }
    await eventually(() => gotten(key).length === 2);
    held.open();
    expect(await calls.untilEnded(ids[3] ?? '')).toMatchObject({ status: 'succeeded' });
    expect(gotten(key)).toEqual([`${key}#0`, `${key}#1`, `${key}#3`]);
  });

  test('join the order when their delay has passed, or when they are replayed', async () => {
    const held = gate();
    const key = newKey();
    fn.handler = (request, response) =>
      request.body.toString() === `${key}#bad` ? void response.writeHead(400).end() : held.handler(request, response);
    const bad = await accept(key, `${key}#bad`);
    expect(await calls.untilEnded(bad)).toMatchObject({ status: 'failed' });
    fn.handler = held.handler;
    const first = await accept(key, `${key}#0`);
    await calls.until(first, 'running');
    const late = await accept(key, `${key}#late`, { headers: { 'X-Delay': '300ms' } });
    await calls.until(late, 'queued');
    await eventually(async () => (await calls.state(late))['waitingFor'] === 'flow');
    await operate(`dead-letters/${bad}/replay`);
    await eventually(async () => (await calls.state(bad))['waitingFor'] === 'flow');
    const last = await accept(key, `${key}#1`);
    held.open();
    expect(await calls.untilEnded(last)).toMatchObject({ status: 'succeeded' });
    expect(gotten(key)).toEqual(['bad', '0', 'late', 'bad', '1'].map((name) => `${key}#${name}`));
  });

  test('that have not begun in time expire, and the next ones have their turn', async () => {
    const held = gate();
    const key = newKey();
    fn.handler = held.handler;
    const [first] = await acceptAll(key, 1);
    const late = await accept(key, `${key}#late`, { headers: { 'X-Expires-In': '500ms' } });
    const last = await accept(key, `${key}#1`);
    expect(await calls.untilEnded(late)).toMatchObject({ status: 'expired' });
    held.open();
    expect(await calls.untilEnded(last)).toMatchObject({ status: 'succeeded' });
    expect(await calls.state(first ?? '')).toMatchObject({ status: 'succeeded' });
    expect(gotten(key)).toEqual(inOrder(key, 2));
  });

  test('are no more in any second than the rate of their key allows, and run in their order', async () => {
    const begun: number[] = [];
    const key = newKey();
    fn.handler = (request, response) => {
      begun.push(performance.now());
      return echo(request, response);
    };
    const ids = await acceptAll(key, 8, { control: 'parallelism=1, rate=3, period=1s' });
    await Promise.all(ids.map((id) => calls.untilEnded(id)));
    expect(gotten(key)).toEqual(inOrder(key, 8));
    // The broker has another clock than this test, of the same machine.
    const most = begun.map((from, index) => begun.slice(index).filter((at) => at < from + 990).length);
    expect(Math.max(...most)).toBeLessThanOrEqual(3);
  });

  test('wait for the rate of their key in their queue, say so, and can be cancelled', async () => {
    const key = newKey();
    const [first, second, third] = await acceptAll(key, 3, { control: 'rate=1, period=1h' });
    expect(await calls.untilEnded(first ?? '')).toMatchObject({ status: 'succeeded' });
    await eventually(async () => (await calls.state(second ?? ''))['waitingFor'] === 'rate');
    expect(await calls.state(second ?? '')).toMatchObject({ status: 'queued', attempts: 0 });
    expect(await calls.state(third ?? '')).toMatchObject({ status: 'queued', waitingFor: 'flow' });
    const path = `flows/fn/${encodeURIComponent(key)}`;
    await showsFlow(path, { waiting: 1, running: 1, rate: '1/1h' });
    expect(await calls.ask(second ?? '', '', 'DELETE')).toMatchObject({ status: 202 });
    await eventually(async () => (await calls.state(third ?? ''))['waitingFor'] === 'rate');
    const url = `${stack.gateway.url}/system/${path}`;
    await fetch(url, { method: 'PUT', body: JSON.stringify({ rate: '100/1s' }) });
    await showsFlow(path, { waiting: 0, running: 1, rate: '100/1s', pinned: true });
    expect(await calls.ask(third ?? '', '', 'DELETE')).toMatchObject({ status: 202 });
    const last = await accept(key, `${key}#last`);
    expect(await calls.untilEnded(last)).toMatchObject({ status: 'succeeded' });
    expect(gotten(key)).toEqual([`${key}#0`, `${key}#last`]);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(204);
  });

  test('are paused, shown, pinned and resumed by operators', async () => {
    const held = gate();
    const key = newKey();
    const path = `flows/fn/${encodeURIComponent(key)}`;
    fn.handler = held.handler;
    expect(await operate(`${path}/pause`)).toMatchObject({ key, waiting: 0, running: 0, paused: true });
    const ids = await acceptAll(key, 4);
    expect(await operate(path, 'GET')).toMatchObject({ waiting: 4, running: 0, paused: true });
    expect(await calls.state(ids[0] ?? '')).toMatchObject({ status: 'queued', waitingFor: 'flow' });
    expect(await calls.ask(ids[3] ?? '', '', 'DELETE')).toMatchObject({ status: 202 });
    await showsFlow(path, { waiting: 3 });
    const url = `${stack.gateway.url}/system/${path}`;
    const pinned = await fetch(url, { method: 'PUT', body: JSON.stringify({ parallelism: 2 }) });
    expect(await pinned.json()).toMatchObject({ parallelism: 2, pinned: true, paused: true });
    expect(await operate(`${path}/resume`)).toMatchObject({ paused: false });
    await showsFlow(path, { waiting: 1, running: 2 });
    await eventually(() => gotten(key).length === 2);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(204);
    held.open();
    expect(await calls.untilEnded(ids[2] ?? '')).toMatchObject({ status: 'succeeded' });
    await eventually(async () => (await operate(path, 'GET'))['running'] === 0);
    expect(await operate('flows?function=fn', 'GET')).not.toHaveProperty('cursor');
  });

  test('go on when a worker dies with one of them, and none overtakes it', async () => {
    const held = gate();
    const key = newKey();
    fn.handler = held.handler;
    const ids = await acceptAll(key, 3);
    await eventually(() => gotten(key).length === 1);
    fn.handler = echo;
    // One of them has it, and only the others are left.
    for (const worker of stack.workers.slice(0, 3)) {
      worker.kill('SIGKILL');
    }
    await stack.startWorker();
    expect(await calls.untilEnded(ids[2] ?? '')).toMatchObject({ status: 'succeeded' });
    expect(gotten(key)).toEqual([`${key}#0`, ...inOrder(key, 3)]);
    expect(await stack.untilAudited()).toBe(0);
  });
});

test('a key or a control that is not valid is refused, and says why', async () => {
  const refusalOf = async (headers: Record<string, string>) => {
    const { status, text } = await client.call('fn', { headers });
    const { code, detail } = JSON.parse(text) as { code: string; detail: string };
    return { status, code, detail };
  };
  expect(await refusalOf({ 'X-Flow-Control': 'parallelism=1' })).toMatchObject({
    status: 400,
    code: 'invalid_flow_control',
    detail: expect.stringContaining('X-Flow-Key'),
  });
  for (const key of ['a b', '.', '..', 'x'.repeat(129)]) {
    expect(await refusalOf({ 'X-Flow-Key': key })).toMatchObject({ status: 400, code: 'invalid_flow_key' });
  }
  for (const control of [
    'parallelism=0',
    'parallelism=1001',
    'parallelism',
    'parallelism=1, parallelism=2',
    'other=1',
    'rate=1, period=2h',
  ]) {
    expect(await refusalOf({ 'X-Flow-Key': 'k', 'X-Flow-Control': control })).toMatchObject({
      status: 400,
      code: 'invalid_flow_control',
    });
  }
});
