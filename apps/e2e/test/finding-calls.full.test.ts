import { setTimeout } from 'node:timers/promises';
import { ApiClient, type CallState, type Stack } from '@asyncfn/stack';
import { eventually, gate, startTestFunction, status } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

/** Most of them have ended. `SEARCH_CALLS=100000 vitest run finding-calls.full` */
const count = Number(process.env['SEARCH_CALLS'] ?? 2_000);
/** Calls of a batch: they are all accepted at one moment. */
const batchSize = Math.min(1_000, count / 8);
const customers = 20;

/** What a test knows of a call that it has sent. */
interface Sent {
  readonly callId: string;
  readonly function: string;
  readonly status: string;
  readonly customer: number;
  readonly phase: number;
  readonly batchId?: string;
}

/** The ids of all pages of a search, and how often a page was cut. */
async function find(stack: Stack, query: string, limit = 500): Promise<CallState[]> {
  const all: CallState[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const next = cursor === '' ? '' : `&cursor=${cursor}`;
    const answer = await fetch(`${stack.gateway.url}/system/calls?${query}&limit=${limit}${next}`);
    const page = (await answer.json()) as { calls: CallState[]; cursor?: string; complete: boolean };
    expect(answer.status, JSON.stringify(page)).toBe(200);
    expect(page.complete || page.cursor !== undefined).toBe(true);
    expect(page.calls.length).toBeLessThanOrEqual(limit);
    all.push(...page.calls);
    cursor = page.cursor;
  }
  return all;
}

class Log {
  readonly #stack: Stack;
  readonly #client: ApiClient;
  readonly sent: Sent[] = [];
  phase = 0;

  constructor(stack: Stack, client: ApiClient) {
    this.#stack = stack;
    this.#client = client;
  }

  async single(name: string, end: string, headers: Record<string, string> = {}): Promise<string> {
    const customer = this.sent.length % customers;
    const callId = await this.#client.accept(name, { headers: { 'X-Label': `customer=${customer}`, ...headers } });
    this.sent.push({ callId, function: name, status: end, customer, phase: this.phase });
    return callId;
  }

  async many(name: string, end: string, calls: number, headers?: Record<string, string>): Promise<void> {
    for (let left = calls; left > 0; left -= 64) {
      await Promise.all(Array.from({ length: Math.min(64, left) }, () => this.single(name, end, headers)));
    }
  }

  async batch(name: string, end: string, calls: number): Promise<string> {
    const first = this.sent.length;
    const customerOf = (index: number): number => (first + index) % customers;
    const items = Array.from({ length: calls }, (_, index) => ({
      function: name,
      headers: { 'X-Label': `customer=${customerOf(index)}` },
    }));
    const answer = await fetch(`${this.#stack.gateway.url}/async-batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-ndjson' },
      body: items.map((item) => JSON.stringify(item)).join('\n'),
    });
    const { batchId, calls: accepted } = (await answer.json()) as { batchId: string; calls: { callId: string }[] };
    for (const [index, { callId }] of accepted.entries()) {
      const common = { callId, function: name, status: end, phase: this.phase, batchId };
      this.sent.push({ ...common, customer: customerOf(index) });
    }
    return batchId;
  }
}

test('each filter finds what the log of the test says, over pages, while more calls arrive', async () => {
  const [held, ok] = [gate(), await startTestFunction()];
  const bad = await startTestFunction({ handler: status(400) });
  const flaky = await startTestFunction({ handler: status(503) });
  const hang = await startTestFunction({ handler: held.handler });
  await using stack = await startStack({
    functions: {
      ok: ok.url,
      bad: { url: bad.url, queue: 'other' },
      flaky: { url: flaky.url, retry: { attempts: 5, minWait: '1h', maxWait: '2h' } },
      hang: hang.url,
      paused: { url: ok.url, queue: 'other' },
      noise: ok.url,
    },
  });
  await using client = new ApiClient(stack.gateway.url, 64);
  await using _functions = {
    [Symbol.asyncDispose]: async () =>
      void (await Promise.all([ok, bad, flaky, hang].map((each) => each[Symbol.asyncDispose]()))),
  };
  const api = `${stack.gateway.url}/system`;
  await fetch(`${api}/functions/paused/pause`, { method: 'POST' });
  const log = new Log(stack, client);
  const batches: string[] = [];
  const cancelled: string[] = [];
  const turns: number[] = [];
  for (log.phase = 0; log.phase < 2; log.phase++) {
    const part = count / 2;
    await log.many('ok', 'succeeded', part * 0.4);
    while (log.sent.length < part * (log.phase + 0.8)) {
      batches.push(await log.batch('ok', 'succeeded', batchSize));
    }
    await log.many('bad', 'failed', part * 0.1);
    await log.many('paused', 'queued', part * 0.05);
    await log.many('ok', 'scheduled', part * 0.03, { 'X-Delay': '1h' });
    await log.many('flaky', 'retrying', part * 0.01);
    await log.many('hang', 'running', 10);
    for (let index = 0; index < 5; index++) {
      cancelled.push(await log.single('ok', 'cancelled', { 'X-Delay': '2h' }));
    }
    // `from` includes its millisecond: the turn is in one in which nothing was accepted.
    turns.push(Date.now() + 10);
    await setTimeout(20);
  }
  for (const callId of cancelled) {
    expect((await fetch(`${stack.gateway.url}/async-function/${callId}`, { method: 'DELETE' })).status).toBe(202);
  }
  const { sent } = log;
  const counts = (end: string): number => sent.filter((each) => each.status === end).length;
  await eventually(
    async () => {
      const { queues } = (await (await fetch(`${api}/queues`)).json()) as {
        queues: { depth: number; scheduled: number; inFlight: number }[];
      };
      const sum = (key: 'depth' | 'scheduled' | 'inFlight'): number => queues.reduce((all, each) => all + each[key], 0);
      expect([sum('depth'), sum('scheduled'), sum('inFlight')]).toEqual([
        counts('queued'),
        counts('scheduled') + counts('retrying'),
        counts('running'),
      ]);
      return true;
    },
    { timeoutMs: 300_000 },
  );

  let isOver = false;
  const noise = (async () => {
    while (!isOver) {
      await client.acceptMany('noise', 5);
      await setTimeout(20);
    }
  })();
  const middle = new Date(turns[0] ?? 0).toISOString();
  const checks: [query: string, isExpected: (each: Sent) => boolean][] = [
    ['', () => true],
    ['function=ok', (each) => each.function === 'ok'],
    ['function=nothing', () => false],
    ['queue=other', (each) => each.function === 'bad' || each.function === 'paused'],
    ...['queued', 'scheduled', 'retrying', 'running', 'succeeded', 'failed', 'cancelled', 'expired'].map(
      (end): [string, (each: Sent) => boolean] => [`status=${end}`, (each) => each.status === end],
    ),
    ['status=failed&status=retrying&status=running', (each) => /failed|retrying|running/.test(each.status)],
    ['label=customer=7', (each) => each.customer === 7],
    ['label=customer=7&status=failed&function=bad', (each) => each.customer === 7 && each.status === 'failed'],
    [`batch=${batches[0]}`, (each) => each.batchId === batches[0]],
    [`from=${middle}`, (each) => each.phase === 1],
    [`to=${middle}&status=succeeded`, (each) => each.phase === 0 && each.status === 'succeeded'],
    [`to=${middle}&queue=other`, (each) => each.phase === 0 && /bad|paused/.test(each.function)],
  ];
  try {
    for (const [query, isExpected] of checks) {
      const found = (await find(stack, query)).filter((each) => each['function'] !== 'noise');
      const ids = found.map(({ callId }) => callId);
      expect(new Set(ids).size, `${query}: calls that come twice`).toBe(ids.length);
      expect(ids.toSorted(), query).toEqual(
        sent
          .filter(isExpected)
          .map(({ callId }) => callId)
          .toSorted(),
      );
      const times = found.map((each) => String(each['createdAt']));
      expect(times, query).toEqual(times.toSorted().toReversed());
    }
    const states = new Map((await find(stack, '')).map((each) => [each.callId, each.status]));
    expect(sent.filter(({ callId, status: end }) => states.get(callId) !== end)).toEqual([]);
  } finally {
    isOver = true;
    await noise;
    held.open();
  }
}, 900_000);
