import { startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { eventually } from '@asyncfn/testkit';
import { type NatsConnection, headers as natsHeaders } from '@nats-io/transport-node';
import { expect, inject, test } from 'vitest';
import { type CallFilter, createCallId, type Outcome } from '../src/index.ts';
import { CallSearch, CallStore, createCallControl } from '../src/jetstream/index.ts';
import { outcomeCodec, outcomeSubject } from '../src/records/index.ts';
import { type GatewaySide, openManager, startGatewaySide } from './harness.ts';

/** `SEARCH_CALLS=1000000 vitest run call-search.full` measures with a million. */
const count = Number(process.env['SEARCH_CALLS'] ?? 20_000);
const statuses = ['succeeded', 'succeeded', 'succeeded', 'succeeded', 'failed', 'cancelled', 'expired'] as const;
const spanMs = 3_000_000;

function outcomeAt(index: number, begin: number): Outcome {
  const createdAt = begin + Math.floor((index / count) * spanMs);
  return {
    v: 1,
    callId: createCallId(),
    generation: 0,
    function: `fn-${index % 97 === 0 ? 'rare' : index % 10}`,
    queue: index % 3 === 0 ? 'images' : 'default',
    status: statuses[index % statuses.length] ?? 'succeeded',
    attempts: 1,
    maxRetries: 10,
    startTime: `${createdAt}${String(index % 1_000_000).padStart(6, '0')}`,
    startedAt: createdAt + 5,
    endedAt: createdAt + 250,
    durationMs: 245,
    functionStatus: 200,
    headers: [
      ['content-type', 'text/plain'],
      ['date', new Date(createdAt).toUTCString()],
    ],
    labels: [`customer=${index % 1_000}`],
    history: [
      {
        attempt: 1,
        startedAt: createdAt + 5,
        durationMs: 245,
        status: 200,
        verdict: 'succeeded',
        worker: 'worker-1:17',
      },
    ],
  };
}

async function fill(connection: NatsConnection, begin: number): Promise<void> {
  const body = Buffer.alloc(100, 'x');
  for (let index = 0; index < count; index++) {
    const outcome = outcomeAt(index, begin);
    const headers = natsHeaders();
    headers.set(outcomeCodec.header, outcomeCodec.encode(outcome));
    connection.publish(outcomeSubject(outcome), body, { headers });
    if (index % 5_000 === 0) {
      await connection.flush();
    }
  }
  await connection.flush();
}

test(
  'a page of very many ended calls is there at once, by function, status, time and label',
  async () => {
    await using nats = await startNatsServer({ bin: inject('natsServerBin') });
    await using gateway = await startGatewaySide(nats.url, { queues: ['default'] });
    await using other = await openManager(nats.url);
    const begin = Date.now() - spanMs;
    await fill(other.connection, begin);
    await eventually(async () => (await other.manager.streams.info('OUTCOMES')).state.messages >= count);
    let aheadMs = 0;
    let isHasty = true;
    // While it is hasty, each look at the clock is much later, and a search is cut after a step or two.
    const search = createSearch(gateway, () => {
      aheadMs += isHasty ? 6_000 : 0;
      return performance.now() + aheadMs;
    });
    expect(await search.list({}, { limit: 1 })).toMatchObject({ calls: [], complete: false });
    isHasty = false;
    const startedAt = performance.now();
    await search.tend(AbortSignal.timeout(600_000));
    const indexSeconds = (performance.now() - startedAt) / 1_000;
    expect(search.size).toBe(count);
    report({ count, indexSeconds });
    for (const [name, filter] of Object.entries(filters)) {
      const times: number[] = [];
      for (let page = 0; page < 40; page++) {
        const askedAt = performance.now();
        const { calls, complete } = await search.list(filter(page * 7, begin), { limit: 100 });
        times.push(performance.now() - askedAt);
        expect({ complete, some: calls.length > 0 }, name).toEqual({ complete: true, some: name !== 'none' });
      }
      times.sort((a, b) => a - b);
      report({ name, p50: times[20], p95: times[38] });
      // p95 shall be 200 ms on a machine that has nothing else to do; one that stands still shows that in a few pages.
      expect(times[20], name).toBeLessThan(2_000);
    }
  },
  60_000 + count / 2,
);

/** Each page of a filter asks for something else. */
const filters: Readonly<Record<string, (page: number, begin: number) => CallFilter>> = {
  function: (page) => ({ functions: [`fn-${page % 10}`] }),
  'rare function': () => ({ functions: ['fn-rare'] }),
  status: (page) => ({ statuses: new Set([statuses[page % statuses.length] ?? 'failed']) }),
  time: (page, begin) => ({ fromMs: begin + page * 5_000, toMs: begin + page * 5_000 + 60_000 }),
  all: (page, begin) => ({
    functions: [`fn-${page % 10}`],
    statuses: new Set(['failed', 'expired']),
    toMs: begin + spanMs / 2 + page * 1_000,
  }),
  label: (page) => ({ label: `customer=${page}` }),
  none: () => ({ functions: ['nothing'] }),
};

function createSearch({ broker, topology, publisher, flows }: GatewaySide, monotonicNow: () => number): CallSearch {
  const calls = new CallStore(publisher, topology);
  const { finder } = createCallControl({
    broker,
    topology,
    publisher,
    calls,
    flows,
    resultTtlMs: 0,
    maxRetries: () => 3,
  });
  return new CallSearch({ broker, topology, finder, calls, resultTtlMs: 0, now: broker.clock.now, monotonicNow });
}

function report(figures: Readonly<Record<string, unknown>>): void {
  process.stderr.write(`${JSON.stringify(figures)}\n`);
}
