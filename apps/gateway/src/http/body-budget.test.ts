import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BodyBudget, type BodyShare } from './body-budget.ts';

function budgetOf(limitBytes: number) {
  const clock = { now: 0 };
  const budget = new BodyBudget({ limitBytes, graceMs: 1_000, slowBytesPerSecond: 100, now: () => clock.now });
  const given: string[] = [];
  const open = (name: string, bytes: number, caller?: string) => budget.open(bytes, () => given.push(name), caller);
  return { budget, clock, given, open };
}

test('a body has its whole share before it arrives, and gives it back once', () => {
  const { budget, open } = budgetOf(100);
  const share = open('a', 60);
  expect(budget.usedBytes).toBe(60);
  expect(open('b', 41)).toBeUndefined();
  share?.release();
  share?.release();
  expect(budget.usedBytes).toBe(0);
  expect(open('b', 100)).toBeDefined();
});

test('a body of unknown length grows as it arrives, until there is no more room', () => {
  const { budget, open } = budgetOf(100);
  const share = open('chunked', 0);
  expect([share?.arrived(60), share?.arrived(40), share?.arrived(1)]).toEqual([true, true, false]);
  expect(budget.usedBytes).toBe(100);
});

test('a body that arrives as announced takes no more than its share', () => {
  const { budget, open } = budgetOf(100);
  const share = open('a', 60);
  expect([share?.arrived(30), share?.arrived(30)]).toEqual([true, true]);
  expect(budget.usedBytes).toBe(60);
});

test('slow bodies make room, the oldest first and no more of them than needed', () => {
  const { budget, clock, given, open } = budgetOf(100);
  open('slow 1', 40);
  open('slow 2', 40);
  clock.now = 1_001;
  expect(open('new', 30)).toBeDefined();
  expect(given).toEqual(['slow 1']);
  expect(budget.usedBytes).toBe(70);
});

test('a body that has stopped arriving is slow, however fast it was', () => {
  const { clock, given, open } = budgetOf(100);
  const stalled = open('stalled', 90);
  stalled?.arrived(80);
  clock.now = 1_000;
  expect(open('early', 30)).toBeUndefined();
  clock.now = 1_001;
  expect(open('new', 30)).toBeDefined();
  expect(given).toEqual(['stalled']);
});

test('an owner holds at most twice as much as it leaves free, and may always have one body of any size', () => {
  const { budget } = budgetOf(100);
  const of = (owner: string, bytes: number) => budget.open(bytes, () => undefined, owner);
  const alone = of('a', 150);
  expect(alone).toBeDefined();
  expect(of('b', 1)).toBeUndefined();
  alone?.release();
  const shares = [of('a', 33), of('a', 33)];
  expect(shares).not.toContain(undefined);
  expect(of('a', 1)).toBeUndefined();
  expect(of('b', 22)).toBeDefined();
  expect(of('b', 1)).toBeUndefined();
  shares[0]?.release();
  expect(of('a', 1)).toBeDefined();
});

test('an owner that holds its share makes room for itself with its own slow bodies', () => {
  const { budget, clock } = budgetOf(100);
  const given: string[] = [];
  const of = (owner: string, bytes: number) => budget.open(bytes, () => given.push(owner), owner);
  of('a', 60);
  clock.now = 1_001;
  expect(of('a', 30)).toBeDefined();
  expect(given).toEqual(['a']);
});

test('a body that is young, fast or complete is never given up', () => {
  const { clock, given, open } = budgetOf(100);
  const complete = open('complete', 25);
  complete?.arrived(25);
  complete?.complete();
  const fast = open('fast', 50);
  clock.now = 2_000;
  fast?.arrived(45 * 5);
  open('young', 25);
  expect(open('new', 30)).toBeUndefined();
  expect(given).toEqual([]);
});

test('no body is given up if that would not make enough room', () => {
  const { clock, given, open } = budgetOf(100);
  open('slow', 50);
  const complete = open('complete', 50);
  complete?.complete();
  clock.now = 2_000;
  expect(open('too much', 60)).toBeUndefined();
  expect(given).toEqual([]);
});

test('a body that was given up gets no more room', () => {
  const { budget, clock, open } = budgetOf(100);
  const slow = open('slow', 100);
  clock.now = 2_000;
  open('new', 100);
  expect(slow?.arrived(1)).toBe(false);
  slow?.release();
  expect(budget.usedBytes).toBe(100);
});

test('large bodies leave some room to small ones, announced or not', () => {
  const kibibyte = 1024;
  const { open } = budgetOf(1_024 * kibibyte);
  expect(open('large', 800 * kibibyte)).toBeDefined();
  expect(open('large', 100 * kibibyte)).toBeUndefined();
  const chunked = open('chunked', 0);
  expect([chunked?.arrived(60 * kibibyte), chunked?.arrived(60 * kibibyte)]).toEqual([true, false]);
  expect(open('small', 64 * kibibyte)).toBeDefined();
});

const step = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), bytes: fc.nat(120) }),
  fc.record({ kind: fc.constant('arrived' as const), bytes: fc.nat(60), which: fc.nat(5) }),
  fc.record({ kind: fc.constantFrom('complete' as const, 'release' as const), which: fc.nat(5) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(1_500) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function take(each: Step, { clock, open }: ReturnType<typeof budgetOf>, shares: BodyShare[]): void {
  if (each.kind === 'open') {
    shares.push(...[open('any', each.bytes)].filter((share) => share !== undefined));
  } else if (each.kind === 'wait') {
    clock.now += each.ms;
  } else if (each.kind === 'arrived') {
    shares[each.which]?.arrived(each.bytes);
  } else {
    shares[each.which]?.[each.kind]();
  }
}

test('whatever happens, the limit holds, and no share is left behind', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const made = budgetOf(200);
      const shares: BodyShare[] = [];
      for (const each of steps) {
        take(each, made, shares);
        expect(made.budget.usedBytes).toBeLessThanOrEqual(200);
        expect(made.budget.usedBytes).toBeGreaterThanOrEqual(0);
      }
      for (const share of shares) {
        share.release();
      }
      expect(made.budget.usedBytes).toBe(0);
    }),
  );
});

test('a caller that holds a body holds no more than twice what is left for others, however often it comes', () => {
  const { open } = budgetOf(90);
  const greedy = Array.from({ length: 9 }, () => open('greedy', 10, 'eve'));
  expect(greedy.filter((share) => share !== undefined)).toHaveLength(6);
  expect(open('other', 20, 'bob')).toBeDefined();
});

test('a caller with one body may use all of the room', () => {
  const { open } = budgetOf(90);
  expect(open('all', 90, 'eve')).toBeDefined();
  const { open: openGrowing } = budgetOf(90);
  const growing = openGrowing('growing', 0, 'eve');
  expect([growing?.arrived(50), growing?.arrived(40)]).toEqual([true, true]);
});

test('slow bodies of a caller make room for its own before its share is too large', () => {
  const { clock, given, open } = budgetOf(90);
  open('slow 1', 30, 'eve');
  open('slow 2', 30, 'eve');
  clock.now = 1_001;
  expect(open('new', 20, 'eve')).toBeDefined();
  expect(given).toEqual(['slow 1']);
});
