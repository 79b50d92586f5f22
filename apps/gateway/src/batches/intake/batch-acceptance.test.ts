import { type BatchItem, type BatchState, itemsOfPart, type PublishResult } from '@asyncfn/queue-core';
import { anyone } from '@asyncfn/tokens';
import { describe, expect, test } from 'vitest';
import { refusal } from '../../problem.ts';
import type { BatchItemRequest } from '../items/index.ts';
import { BatchAcceptance } from './batch-acceptance.ts';

const stored: PublishResult = { kind: 'stored', sequence: 7, duplicate: false };
const state: BatchState = {
  v: 1,
  batchId: 'b-1',
  phase: 'accepting',
  startTime: '1700000000000000000',
  createdAt: 17,
  parts: 0,
  total: 0,
  refused: 0,
};

function item(body = ''): BatchItemRequest {
  return { kind: 'item', url: '/async-function/echo', rawHeaders: [], body: Buffer.from(body) };
}

/** An acceptance, and the items that it stores. A refused item is stored as a problem. */
function open({ maxCalls = 10_000, putState = async (): Promise<PublishResult> => stored } = {}) {
  const states: BatchState[] = [];
  const parts: BatchItem[][] = [];
  const atOnce: number[] = [];
  const clock = { now: 0 };
  const acceptance = new BatchAcceptance({
    parts: {
      store: async (_, items, first) => {
        atOnce.push(items.length);
        return items.map((each, at) =>
          each.kind === 'refused'
            ? { problem: { code: each.code } }
            : { callId: `b-1-${first + at}`, function: 'echo', queue: 'default' },
        );
      },
    },
    batches: {
      putItems: async (_, part, items) => {
        parts[part] = [...items];
        return stored;
      },
      putState: async (next) => {
        states.push(next);
        return putState();
      },
    },
    origin: {
      batchId: 'b-1',
      startTime: state.startTime,
      caller: anyone,
      peer: undefined,
      sharedHeaders: [],
      parentId: undefined,
      mayBeCallback: false,
      resumed: false,
    },
    opened: { state, sequence: 1 },
    maxCalls,
    monotonicNow: () => clock.now,
  });
  return { acceptance, states, parts, atOnce, clock };
}

describe('the acceptance of a batch', () => {
  test('stores its items in parts of one size, and seals it with their number', async () => {
    const { acceptance, states, parts } = open();
    const count = 2 * itemsOfPart + 3;
    for (let number = 0; number < count; number++) {
      await acceptance.add(number === 5 ? refusal('invalid_batch_item', 'x') : item());
    }
    await acceptance.complete();
    await acceptance.seal('print');
    expect(parts.map(({ length }) => length)).toEqual([itemsOfPart, itemsOfPart, 3]);
    expect(parts.flat()).toEqual(acceptance.items);
    expect(acceptance.items[count - 1]).toMatchObject({ callId: `b-1-${count - 1}` });
    expect(states).toEqual([
      { ...state, phase: 'sealed', parts: 3, total: count - 1, refused: 1, fingerprint: 'print' },
    ]);
  });

  test('stores large bodies without waiting for a whole part', async () => {
    const { acceptance, parts, atOnce } = open();
    for (let number = 0; number < itemsOfPart; number++) {
      await acceptance.add(item('x'.repeat(100_000)));
    }
    await acceptance.complete();
    expect(Math.max(...atOnce)).toBe(11);
    expect(parts.map(({ length }) => length)).toEqual([itemsOfPart]);
  });

  test('refuses items beyond the limit, and only counts those far beyond it', async () => {
    const { acceptance } = open({ maxCalls: 2 });
    for (let number = 0; number < 1_500; number++) {
      await acceptance.add(item());
    }
    await acceptance.complete();
    expect([acceptance.accepted, acceptance.refused, acceptance.items.length]).toEqual([2, 1_498, 1_002]);
    expect(acceptance.items[2]).toEqual({ problem: { code: 'too_many_calls' } });
  });

  test('shows during its work that its gateway is alive', async () => {
    const { acceptance, states, clock } = open();
    for (let number = 0; number < 2 * itemsOfPart; number++) {
      clock.now += 50;
      await acceptance.add(item());
    }
    expect(states.length).toBeGreaterThan(0);
    expect(states.every(({ phase }) => phase === 'accepting')).toBe(true);
  });

  test('cannot seal a batch that another request has taken over', async () => {
    const conflict = async (): Promise<PublishResult> => ({ kind: 'refused', reason: 'conflict', detail: 'newer' });
    const { acceptance } = open({ putState: conflict });
    await acceptance.add(item());
    await acceptance.complete();
    await expect(acceptance.seal(undefined)).rejects.toMatchObject({ refusal: { code: 'overloaded' } });
  });
});
