import { createHash, randomBytes } from 'node:crypto';
import { type BodyObject, type Call, emptyBody } from '@asyncfn/queue-core';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { ByteBudget } from '../memory/index.ts';
import { exchange, type HttpOutcome, type HttpRequest } from './exchange.ts';
import { HttpAgent } from './http-agent.ts';
import type { LargeResponses, ResponseFailure, ResponseSink } from './large-responses.ts';

const agent = new HttpAgent({ maxHeaderBytes: 4_096 });
afterAll(() => agent.destroy());

const call: Call = {
  id: 'call-1',
  function: 'echo',
  queue: 'default',
  path: '',
  query: '',
  headers: [],
  startTime: '1',
  retry: 0,
  body: emptyBody,
};
const large = randomBytes(1_000_000);
const notStored: ResponseFailure = { kind: 'not_stored', code: 'not_stored', error: new Error('not now') };

/** Takes responses of more than 100,000 bytes, as slowly as a test lets it. */
class SlowStore implements LargeResponses {
  readonly inlineBytes = 100_000;
  readonly bufferBytes = 200_000;
  readonly pieces: Buffer[] = [];
  isAborted = false;
  failsAfter = Number.POSITIVE_INFINITY;
  isOpen = true;
  /** Most pieces that have waited at the same time. */
  mostAtOnce = 0;
  readonly #waiting: (() => void)[] = [];

  get bytes(): number {
    return this.pieces.reduce((sum, { length }) => sum + length, 0);
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.mostAtOnce = Math.max(this.mostAtOnce, this.#waiting.length);
    });
  }

  goOn(): void {
    this.isOpen = true;
    for (const each of this.#waiting.splice(0)) {
      each();
    }
  }

  open(): ResponseSink {
    const isFailed = (): boolean => this.bytes > this.failsAfter;
    return {
      write: (piece) => {
        this.pieces.push(Buffer.from(piece));
        return this.isOpen ? undefined : this.#wait();
      },
      get failure() {
        return isFailed() ? notStored : undefined;
      },
      finish: async (): Promise<BodyObject | ResponseFailure> =>
        isFailed() ? notStored : { id: 'a'.repeat(24), length: this.bytes, sha256: sha256(Buffer.concat(this.pieces)) },
      abort: () => {
        this.isAborted = true;
      },
    };
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

function get(origin: string, responses: LargeResponses, request: Partial<HttpRequest> = {}): Promise<HttpOutcome> {
  const usual = { path: '/', headers: [], body: emptyBody, timeoutMs: 0, maxResponseBytes: 10_000_000 };
  return exchange(agent, { origin, ...usual, responses, call, ...request });
}

test.each([true, false])(
  'a large response is passed on byte for byte, and its room is given back (length known: %s)',
  async (isKnown) => {
    await using fn = await startTestFunction({
      handler: (_, response) => {
        response.writeHead(201, { 'X-Own': 'a', ...(isKnown && { 'Content-Length': large.length }) });
        response.end(large);
      },
    });
    const store = new SlowStore();
    const budget = new ByteBudget(10_000_000);
    const outcome = await get(fn.url, store, { room: budget.open('mine') });
    expect(outcome).toMatchObject({
      kind: 'answer',
      status: 201,
      body: { length: 0 },
      object: { sha256: sha256(large) },
    });
    expect(Buffer.concat(store.pieces).equals(large)).toBe(true);
    expect([store.isAborted, budget.usedBytes]).toEqual([false, 0]);
  },
);

test('a small one stays in memory', async () => {
  await using fn = await startTestFunction({ handler: (_, response) => void response.end(large.subarray(0, 100_000)) });
  const store = new SlowStore();
  const outcome = await get(fn.url, store);
  expect(outcome).toMatchObject({ kind: 'answer', body: { length: 100_000 } });
  expect(outcome).not.toHaveProperty('object');
  expect(store.pieces).toEqual([]);
});

test('the next piece is read once the store has taken the one before', async () => {
  await using fn = await startTestFunction({ handler: (_, response) => void response.end(large) });
  const store = new SlowStore();
  store.isOpen = false;
  let hasEnded = false;
  const outcome = get(fn.url, store).finally(() => {
    hasEnded = true;
  });
  await eventually(() => {
    store.goOn();
    store.isOpen = false;
    return hasEnded;
  });
  expect(await outcome).toMatchObject({ kind: 'answer', object: { length: large.length, sha256: sha256(large) } });
  expect(store.mostAtOnce).toBe(1);
  expect(store.pieces.length).toBeGreaterThan(5);
});

test('the time of the store does not count against the deadline of the function', async () => {
  let end = (): void => undefined;
  await using fn = await startTestFunction({
    handler: (_, response) => {
      response.write(large.subarray(0, 150_000));
      end = () => void response.end(large.subarray(150_000));
    },
  });
  // The clock of the process goes on by an hour while the store is slow.
  let aheadMs = 0;
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
  onTestFinished(() => clock.mockRestore());
  const store = new SlowStore();
  store.isOpen = false;
  const outcome = get(fn.url, store, { timeoutMs: 120_000 });
  await eventually(() => store.bytes > 0);
  aheadMs = 3_600_000;
  store.goOn();
  await eventually(() => store.bytes >= 150_000);
  // A deadline that had passed would end it now.
  await new Promise((resolve) => setTimeout(resolve, 50));
  end();
  expect(await outcome).toMatchObject({ kind: 'answer', object: { length: large.length } });
});

test('a store that fails ends the exchange with its reason', async () => {
  await using fn = await startTestFunction({ handler: (_, response) => void response.end(large) });
  const store = new SlowStore();
  store.failsAfter = 300_000;
  expect(await get(fn.url, store)).toBe(notStored);
  expect(store.isAborted).toBe(true);
  expect(store.bytes).toBeLessThan(large.length);
});

test('a response that is announced as too large is not begun, and one that becomes so is removed', async () => {
  await using announced = await startTestFunction({
    handler: (_, response) => void response.writeHead(200, { 'Content-Length': large.length }).end(large),
  });
  await using growing = await startTestFunction({
    handler: (_, response) => {
      response.write(large.subarray(0, 150_000));
      response.end(large);
    },
  });
  const [none, some] = [new SlowStore(), new SlowStore()];
  expect(await get(announced.url, none, { maxResponseBytes: 500_000 })).toMatchObject({ kind: 'too_large' });
  expect(none.pieces).toEqual([]);
  expect(await get(growing.url, some, { maxResponseBytes: 500_000 })).toMatchObject({ kind: 'too_large' });
  expect(some.isAborted).toBe(true);
});

test('an exchange that is given up while its response is stored removes it', async () => {
  await using fn = await startTestFunction({ handler: (_, response) => void response.end(large) });
  const store = new SlowStore();
  store.isOpen = false;
  const giveUp = new AbortController();
  const budget = new ByteBudget(10_000_000);
  const outcome = get(fn.url, store, { signal: giveUp.signal, room: budget.open('mine') });
  await eventually(() => store.bytes > 0);
  giveUp.abort();
  expect(await outcome).toEqual({ kind: 'abandoned' });
  expect([store.isAborted, budget.usedBytes]).toEqual([true, 0]);
});
