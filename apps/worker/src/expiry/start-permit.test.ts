import type { Call } from '@asyncfn/queue-core';
import type { ClaimResult, ExpiryStore } from '@asyncfn/queue-core/jetstream';
import { expect, test } from 'vitest';
import { permitStart } from './start-permit.ts';

const expiresAt = 10_000;
const call: Call = {
  id: 'call-1',
  function: 'echo',
  queue: 'default',
  path: '',
  query: '',
  headers: [],
  body: new Uint8Array(),
  retry: 0,
  startTime: '0',
  expiresAt,
};

/** One claim at the broker; `beforeAnswer` runs between storing it and confirming it. */
class Claims implements Pick<ExpiryStore, 'claim' | 'revise'> {
  decision: 'started' | 'expired' | undefined;
  sequence = 0;
  beforeAnswer: () => Promise<void> | void = () => {};

  async claim(_: unknown, __: number, decision: 'started' | 'expired'): Promise<ClaimResult> {
    const earlier = this.decision;
    if (earlier !== undefined) {
      return { kind: 'decided', decision: earlier, byUs: false, sequence: this.sequence };
    }
    return await this.#store(decision);
  }

  async revise(_: unknown, __: number, decision: 'started' | 'expired', sequence: number): Promise<ClaimResult> {
    const isLast = this.sequence === sequence;
    return isLast ? await this.#store(decision) : { kind: 'refused', reason: 'conflict', detail: 'decided again' };
  }

  async #store(decision: 'started' | 'expired'): Promise<ClaimResult> {
    this.decision = decision;
    this.sequence += 1;
    const stored = { kind: 'decided', decision, byUs: true, sequence: this.sequence } as const;
    const before = this.beforeAnswer;
    this.beforeAnswer = () => {};
    await before();
    return stored;
  }
}

test('a call is started in time, and expires after that', async () => {
  expect(await permitStart(call, true, new Claims(), () => expiresAt - 1)).toBe('start');
  expect(await permitStart(call, true, new Claims(), () => expiresAt)).toBe('expire');
});

test('a call that has expired by the time that the broker confirms its start is not started', async () => {
  const claims = new Claims();
  let now = expiresAt - 1;
  claims.beforeAnswer = () => {
    now = expiresAt + 3_000;
  };
  expect(await permitStart(call, true, claims, () => now)).toBe('expire');
  expect(claims.decision).toBe('expired');
});

test('a call whose worker has started it and may be dead is started, however late it is', async () => {
  const claims = new Claims();
  await permitStart(call, true, claims, () => expiresAt - 1);
  expect(await permitStart(call, false, claims, () => expiresAt + 60_000)).toBe('start');
});

test('a start is not taken back from a worker that has begun in place of the first one', async () => {
  const claims = new Claims();
  let now = expiresAt - 1;
  let second: Promise<unknown> | undefined;
  claims.beforeAnswer = async () => {
    now = expiresAt + 1;
    second = permitStart(call, false, claims, () => now);
    await second;
  };
  expect(await permitStart(call, true, claims, () => now)).toBe('wait');
  expect(await second).toBe('start');
});

test('a worker does not begin in place of one that has taken its start back', async () => {
  const claims = new Claims();
  claims.decision = 'started';
  claims.sequence = 1;
  const overtaken: Pick<ExpiryStore, 'claim' | 'revise'> = {
    claim: (key, at, decision) => claims.claim(key, at, decision),
    revise: async (key, at, decision, sequence) => {
      await claims.revise(key, at, 'expired', sequence);
      return claims.revise(key, at, decision, sequence);
    },
  };
  expect(await permitStart(call, false, overtaken, () => expiresAt + 1)).toBe('wait');
  expect(await permitStart(call, false, claims, () => expiresAt + 1)).toBe('expire');
});

test('a call that does not expire, or has started, costs nothing', async () => {
  const claims = new Claims();
  const { expiresAt: _, ...lasting } = call;
  expect(await permitStart(lasting, true, claims, () => 0)).toBe('start');
  expect(await permitStart({ ...call, startedAt: 1 }, true, claims, () => 20_000)).toBe('start');
  expect(claims.sequence).toBe(0);
});
