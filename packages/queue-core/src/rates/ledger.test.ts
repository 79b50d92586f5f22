import { describe, expect, test } from 'vitest';
import {
  emptyLedger,
  fairShare,
  freeStarts,
  isExhausted,
  type Ledger,
  ledgerCodec,
  ledgerSubject,
  nextFreeAt,
  nextLedger,
  type StoredLedger,
  toLedger,
} from './index.ts';

const rate = { count: 20, periodMs: 1_000 };
const by: StoredLedger['by'] = { id: 'a', held: 5, leaseMs: 2_000, used: [[100, 3]] };

/** The ledger as the next one reads it, stored at 10,000. */
function stored(changes: Partial<StoredLedger['by']> = {}, before: Ledger = emptyLedger): Ledger {
  const text = ledgerCodec.encode(nextLedger(before, rate, 10_000, { ...by, ...changes }));
  const decoded = ledgerCodec.decode(text);
  expect(decoded).toBeDefined();
  return decoded === undefined ? emptyLedger : toLedger(decoded, 10_000);
}

describe('starts are free', () => {
  test('unless another holds them, until its lease, the period and a second have passed', () => {
    const ledger = stored({ used: [] });
    expect(freeStarts(ledger, rate, 10_000)).toBe(15);
    expect(freeStarts(ledger, rate, 10_000, 'a')).toBe(20);
    expect(freeStarts(ledger, rate, 13_999)).toBe(15);
    expect(freeStarts(ledger, rate, 14_000)).toBe(20);
  });

  test('unless they were used less than a period ago, by any worker', () => {
    const ledger = stored({ held: 0 });
    expect(freeStarts(ledger, rate, 10_899, 'a')).toBe(17);
    expect(freeStarts(ledger, rate, 10_900, 'a')).toBe(20);
    expect(freeStarts(ledger, { ...rate, periodMs: 60_000 }, 60_000, 'a')).toBe(17);
  });

  test('not as long as the time at the broker is not known', () => {
    expect(freeStarts(stored(), rate, Number.NEGATIVE_INFINITY)).toBe(12);
  });

  test('and there are none if the rate has been lowered below what is held', () => {
    expect(freeStarts(stored({ used: [] }), { ...rate, count: 2 }, 10_000)).toBe(-3);
  });
});

test('a rate is exhausted if a worker needs more, or if nothing is free', () => {
  expect(isExhausted(stored(), rate, 10_000)).toBe(false);
  const short = stored({ short: true });
  expect([isExhausted(short, rate, 11_999), isExhausted(short, rate, 12_000)]).toEqual([true, false]);
  expect(isExhausted(stored({ held: 17 }), rate, 10_000)).toBe(true);
});

test('starts are shared only if another has fewer than its part and needs more', () => {
  expect(fairShare(stored({ held: 1 }), rate, 10_000, 'b')).toBe(20);
  const needing = stored({ held: 1, short: true });
  expect(fairShare(needing, rate, 10_000, 'b')).toBe(10);
  expect(fairShare(needing, { ...rate, count: 1 }, 10_000, 'b')).toBe(1);
  expect(fairShare(needing, rate, 12_000, 'b')).toBe(20);
  expect(fairShare(stored({ held: 10, short: true }), rate, 10_000, 'b')).toBe(20);
});

test('starts become free when the next period has passed', () => {
  expect(nextFreeAt(emptyLedger, rate, 10_000)).toBeUndefined();
  expect(nextFreeAt(stored(), rate, 10_000)).toBe(10_900);
  expect(nextFreeAt(stored(), rate, 10_900)).toBe(14_000);
});

test('the next ledger keeps what still counts, and rounds to hundredths of the period, never to an earlier time', () => {
  const first = stored({
    used: [
      [104, 1],
      [101, 2],
      [-5, 1],
    ],
  });
  expect(first.used).toEqual([
    [10_010, 1],
    [9_900, 3],
  ]);
  const second = nextLedger(first, rate, 10_950, { id: 'b', held: 1, leaseMs: 2_000, used: [] });
  expect(second).toMatchObject({ holders: { a: { held: 5, until: 12_000 } }, used: [[10_010, 1]] });
  const third = nextLedger(first, rate, 14_000, { id: 'b', held: 1, leaseMs: 2_000, used: [] });
  expect(third).toMatchObject({ holders: {}, used: [] });
});

test('its size is bounded, whatever was used', () => {
  const used = Array.from({ length: 100_000 }, (_, at): [number, number] => [at / 100, 1]);
  expect(stored({ used }).used.length).toBeLessThanOrEqual(101);
});

test('if the clock of the broker was set back by an hour, starts are not taken for an hour', () => {
  const hourAhead: StoredLedger = {
    v: 1,
    holders: { a: { held: 5, until: 3_612_000 } },
    used: [[3_610_000, 3]],
    by: { id: 'b', held: 0, leaseMs: 2_000, used: [] },
  };
  expect(freeStarts(toLedger(hourAhead, 10_000), rate, 17_000)).toBe(20);
});

test('anything else than a ledger is none, and a name cannot break out of its subject', () => {
  expect(ledgerCodec.decode('{"v":1}')).toBeUndefined();
  expect([ledgerSubject('echo'), ledgerSubject('echo.dev')]).toEqual(['rates.~.echo', 'rates.dev.echo']);
  expect(() => ledgerSubject('echo.>')).toThrow(TypeError);
});
