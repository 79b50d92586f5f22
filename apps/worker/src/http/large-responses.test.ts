import { createHash, randomBytes } from 'node:crypto';
import { type BodyObject, type Call, emptyBody } from '@asyncfn/queue-core';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { afterAll, expect, test } from 'vitest';
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
  readonly #waiting: (() => void)[] = [];

  get bytes(): number {
    return this.pieces.reduce((sum, { length }) => sum + length, 0);
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
        return this.isOpen ? undefined : new Promise((resolve) => this.#waiting.push(resolve));
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

test('a store that is slow stops the reading, and its time does not count against the function', async () => {
  await using fn = await startTestFunction({ handler: (_, response) => void response.end(large) });
  const store = new SlowStore();
  store.isOpen = false;
  const outcome = get(fn.url, store, { timeoutMs: 5_000 });
  await eventually(() => store.bytes > 0);
  const before = store.bytes;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(store.bytes).toBe(before);
  expect(before).toBeLessThan(large.length);
  store.goOn();
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
