import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteBudget, type ByteShare, uncountedBytes } from './byte-budget.ts';

const kibibyte = 1024;
const limit = 900 * kibibyte;

/** Takes shares of 100 KiB until there is no more room. */
function fill(budget: ByteBudget, owner: string): ByteShare[] {
  const shares: ByteShare[] = [];
  for (;;) {
    const share = budget.open(owner);
    if (!share.reserve(100 * kibibyte)) {
      return shares;
    }
    shares.push(share);
  }
}

test('one owner may hold two thirds, and leaves room for each of the others', () => {
  const budget = new ByteBudget(limit);
  expect(fill(budget, 'a')).toHaveLength(6);
  expect(fill(budget, 'b')).toHaveLength(2);
  expect(budget.open('c').reserve(60 * kibibyte)).toBe(true);
});

test('small shares are not counted, whatever the others hold', () => {
  const budget = new ByteBudget(limit);
  fill(budget, 'a');
  const { usedBytes } = budget;
  expect(budget.open('a').reserve(uncountedBytes)).toBe(true);
  expect(budget.usedBytes).toBe(usedBytes);
});

test('a share that is larger than the limit has its turn when nothing else is held', () => {
  const budget = new ByteBudget(limit);
  const [first] = [budget.open('a'), budget.open('b')];
  first.reserve(limit);
  const order: string[] = [];
  const large = budget.open('b');
  expect(large.reserve(2 * limit, () => order.push('large'))).toBe(false);
  expect(order).toEqual([]);
  first.release();
  expect(order).toEqual(['large']);
  expect(budget.usedBytes).toBe(2 * limit);
});

test('shares of one owner are granted in their order, and shares of others overtake them', () => {
  const budget = new ByteBudget(limit);
  const [first] = fill(budget, 'a');
  const order: string[] = [];
  budget.open('a').reserve(300 * kibibyte, () => order.push('large of a'));
  expect(budget.open('a').reserve(20 * kibibyte, () => order.push('little of a'))).toBe(false);
  expect(budget.open('b').reserve(100 * kibibyte, () => order.push('b'))).toBe(true);
  first?.release();
  expect(order).toEqual([]);
});

test('a share that is released while it waits is not granted', () => {
  const budget = new ByteBudget(limit);
  const shares = fill(budget, 'a');
  const given = budget.open('a');
  given.reserve(100 * kibibyte, () => expect.unreachable());
  given.release();
  expect(budget.waiting).toBe(0);
  for (const share of shares) {
    share.release();
    share.release();
  }
  expect(budget.usedBytes).toBe(0);
});

test('shares that grow side by side all complete, at most one share beyond the limit', () => {
  const grows = fc.record({
    owner: fc.constantFrom('a', 'b', 'c'),
    bytes: fc.integer({ min: 1, max: limit }),
    step: fc.integer({ min: 20 * kibibyte, max: 200 * kibibyte }),
  });
  fc.assert(
    fc.property(fc.array(grows, { minLength: 1, maxLength: 30 }), (all) => {
      const budget = new ByteBudget(limit);
      const open = new Set<ByteShare>();
      let peak = 0;
      const goOn = (share: ByteShare, bytes: number, step: number): void => {
        const next = Math.min(bytes, share.bytes + step);
        const grown = (): void => {
          peak = Math.max(peak, budget.usedBytes);
          if (next === bytes) {
            open.delete(share);
            share.release();
          } else {
            pending.push(() => goOn(share, bytes, step));
          }
        };
        if (share.reserve(next, grown)) {
          grown();
        }
      };
      const pending = all.map((one) => () => {
        const share = budget.open(one.owner);
        open.add(share);
        goOn(share, one.bytes, one.step);
      });
      for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
        next();
      }
      expect(open.size).toBe(0);
      expect(budget.usedBytes).toBe(0);
      expect(peak).toBeLessThanOrEqual(2 * limit);
    }),
  );
});
