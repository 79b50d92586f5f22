import type { Receipt, ReceiptBatch } from '@asyncfn/queue-core';
import type { CallWhereabouts } from '@asyncfn/queue-core/jetstream';
import { createLogger } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import type { AuditFinding } from '../metrics.ts';
import { CallAudit } from './call-audit.ts';

const minuteMs = 60_000;

function receipt(callId: string): Receipt {
  return { callId, startTime: '1700000000000000000', queue: 'default', function: 'echo' };
}

/** The state of each call, look by look; the last one stays. */
function setup(
  whereabouts: Readonly<Record<string, readonly CallWhereabouts[]>>,
  onLook: (look: number) => void = () => {},
) {
  const looks = new Map<string, number>();
  const seen = {
    now: 0,
    findings: [] as AuditFinding[],
    stored: [] as ReceiptBatch[],
    missing: [] as string[],
    isAway: false,
  };
  const stored = { kind: 'stored', sequence: 1, duplicate: false } as const;
  const audit = new CallAudit({
    store: {
      put: (batch) => {
        seen.stored.push(batch);
        return Promise.resolve(stored);
      },
      find: ({ callId }) => {
        const look = looks.get(callId) ?? 0;
        looks.set(callId, look + 1);
        onLook(look);
        const all = whereabouts[callId] ?? [];
        return seen.isAway ? Promise.reject(new Error('away')) : Promise.resolve(all[look] ?? all.at(-1) ?? 'missing');
      },
      reportMissing: ({ callId }) => {
        seen.missing.push(callId);
        return Promise.resolve(stored);
      },
    },
    metrics: { audited: (finding) => void seen.findings.push(finding) },
    logger: createLogger({ level: 'silent', format: 'json', name: 'test' }),
    now: () => seen.now,
    sleep: () => Promise.resolve(true),
  });
  const take = async (batch: Partial<ReceiptBatch>): Promise<string> => {
    let end = 'nothing';
    const delivery = {
      ack: () => {
        end = 'ack';
      },
      nak: (delayMs?: number) => {
        end = `back in ${delayMs}`;
      },
    };
    await audit.take(delivery, { v: 1, receipts: [], dueAt: 2_000, waitMs: 2_000, ...batch });
    return end;
  };
  return { seen, take };
}

test('calls that have ended are counted, and those still held are checked again after twice the time', async () => {
  const { seen, take } = setup({ a: ['ended'], b: ['held'] });
  seen.now = 3_000;
  expect(await take({ receipts: [receipt('a'), receipt('b')] })).toBe('ack');
  expect(seen.findings).toEqual(['ended']);
  expect(seen.stored).toEqual([{ v: 1, receipts: [receipt('b')], dueAt: 7_000, waitMs: 4_000 }]);
});

test('a batch that is not due yet comes back when it is, and no later if a clock was set back', async () => {
  const { seen, take } = setup({});
  seen.now = 500;
  expect(await take({ receipts: [receipt('a')] })).toBe('back in 1500');
  seen.now = -3_600_000;
  expect(await take({ receipts: [receipt('a')] })).toBe('back in 2000');
});

test('no wait is so long that an end could be forgotten before the next check', async () => {
  const { seen, take } = setup({ a: ['held'] });
  seen.now = 240 * minuteMs;
  await take({ receipts: [receipt('a')], dueAt: seen.now, waitMs: 200 * minuteMs });
  expect(seen.stored[0]?.waitMs).toBeLessThan(9 * minuteMs);
});

test('a call that does not exist is looked up several times, reported and counted', async () => {
  const slowLeader = ['missing', 'missing', 'missing', 'ended'] as const;
  const { seen, take } = setup({ lost: ['missing'], late: ['missing', 'ended'], latest: slowLeader });
  seen.now = 3_000;
  expect(await take({ receipts: ['lost', 'late', 'latest'].map(receipt) })).toBe('ack');
  expect(seen.missing).toEqual(['lost']);
  expect(seen.findings.toSorted()).toEqual(['ended', 'ended', 'missing']);
});

test('a check that comes too late says nothing about a call that may have ended and be forgotten', async () => {
  const { seen, take } = setup({ a: ['missing'] });
  seen.now = 60 * minuteMs;
  expect(await take({ receipts: [receipt('a')] })).toBe('ack');
  expect(seen.findings).toEqual(['unknown']);
  expect(seen.missing).toEqual([]);
});

test('nor does a check that has itself taken too long', async () => {
  const { seen, take } = setup({ a: ['missing'] }, (look) => {
    seen.now += look * 10 * minuteMs;
  });
  seen.now = 3_000;
  expect(await take({ receipts: [receipt('a')] })).toBe('ack');
  expect(seen.findings).toEqual(['unknown']);
  expect(seen.missing).toEqual([]);
});

test('receipts wait for their time, and for the broker during an outage', async () => {
  const { seen, take } = setup({ a: ['ended'] });
  expect(await take({ receipts: [receipt('a')] })).toBe('back in 2000');
  seen.now = 2_000;
  seen.isAway = true;
  expect(await take({ receipts: [receipt('a')] })).toBe('back in 5000');
  expect(seen.findings).toEqual([]);
});
