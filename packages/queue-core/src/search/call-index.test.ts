import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CallIndex, type IndexEntry, type IndexProbe } from './call-index.ts';
import { compareKeys } from './call-key.ts';

const everything: IndexProbe = {
  isName: () => true,
  statuses: 0xff,
  marks: [0, 0],
  fromMicros: Number.NEGATIVE_INFINITY,
  fromSequence: 0,
};
const newest = { micros: Number.MAX_SAFE_INTEGER, hash: 0 };

/** Few values of each, so that many entries are equal in what they are sorted by. */
function entriesOf(count: number, micros: number): fc.Arbitrary<IndexEntry[]> {
  const entry = fc.record({
    micros: fc.nat(micros),
    hash: fc.nat(3),
    function: fc.constantFrom('a', 'b', 'c'),
    queue: fc.constantFrom('x', 'y'),
    marks: fc.tuple(fc.nat(7), fc.nat(1)),
    status: fc.nat(7),
  });
  return fc
    .array(entry, { maxLength: count, size: 'max' })
    .map((all) => all.map((each, index) => ({ ...each, sequence: index + 1 })));
}

function indexOf(entries: readonly IndexEntry[]): CallIndex {
  const index = new CallIndex();
  for (const entry of entries) {
    index.add(entry);
  }
  return index;
}

test('pages are what sorting and filtering all entries gives, and no entry comes twice or is left out', () => {
  const probes = fc.record({
    name: fc.constantFrom('a', undefined),
    statuses: fc.nat(0xff),
    marks: fc.constantFrom([0, 0] as const, [1, 0] as const, [3, 1] as const),
    fromMicros: fc.nat(50),
    fromSequence: fc.nat(50),
  });
  fc.assert(
    fc.property(entriesOf(300, 100), probes, fc.integer({ min: 1, max: 40 }), (entries, { name, ...rest }, size) => {
      const probe = { ...rest, isName: (of: { function: string }) => name === undefined || of.function === name };
      const index = indexOf(entries);
      const found: number[] = [];
      for (let [page, below] = [index.take(newest, false, probe, size), newest]; page.length > 0; ) {
        found.push(...page.map(({ sequence }) => sequence));
        below = page.at(-1) ?? below;
        page = index.take(below, false, probe, size);
      }
      const expected = entries
        .filter((entry) => probe.isName(entry) && ((probe.statuses >> entry.status) & 1) === 1)
        .filter((entry) => entry.marks.every((bits, word) => (bits & (probe.marks[word] ?? 0)) === probe.marks[word]))
        .filter((entry) => entry.micros >= probe.fromMicros && entry.sequence >= probe.fromSequence);
      const byKey = (sequences: readonly number[]) => sequences.map((sequence) => keyAt(entries, sequence));
      expect(found.toSorted((a, b) => a - b)).toEqual(expected.map(({ sequence }) => sequence));
      expect(byKey(found)).toEqual(byKey(found).toSorted((a, b) => compareKeys(b, a)));
    }),
  );
});

function keyAt(entries: readonly IndexEntry[], sequence: number) {
  const { micros = 0, hash = 0 } = entries[sequence - 1] ?? {};
  return { micros, hash };
}

test('all entries of a key are found', () => {
  fc.assert(
    fc.property(entriesOf(200, 20), fc.nat(20), fc.nat(3), (entries, micros, hash) => {
      const found = indexOf(entries).at({ micros, hash });
      const expected = entries.filter((entry) => entry.micros === micros && entry.hash === hash);
      expect(found.map(({ sequence }) => sequence).toSorted((a, b) => a - b)).toEqual(
        expected.map(({ sequence }) => sequence),
      );
    }),
  );
});

test('thousands of entries in any order are sorted, over many chunks', () => {
  const orders: ((at: number) => number)[] = [(at) => at, (at) => -at, (at) => (at * 7_919) % 20_011, () => 5];
  for (const micros of orders) {
    const index = new CallIndex();
    for (let at = 0; at < 20_000; at++) {
      index.add({ micros: micros(at), hash: at, sequence: at, function: 'a', queue: 'x', marks: [0, 0], status: 0 });
    }
    const all = index.take(newest, false, everything, 30_000);
    expect(index.size).toBe(20_000);
    expect(new Set(all.map(({ sequence }) => sequence)).size).toBe(20_000);
    expect(all.every((entry, at) => at === 0 || compareKeys(entry, all[at - 1] ?? entry) < 0)).toBe(true);
  }
});

test('entries that are removed are gone, and the oldest go first when they are dropped', () => {
  const index = indexOf(
    Array.from({ length: 10_000 }, (_, at) => ({
      micros: at,
      hash: 0,
      sequence: at,
      function: 'a',
      queue: 'x',
      marks: [0, 0],
      status: 0,
    })),
  );
  index.retain((sequence) => sequence % 2 === 1);
  expect(index.size).toBe(5_000);
  expect(index.at({ micros: 4, hash: 0 })).toEqual([]);
  const dropped = index.dropOldest();
  const left = index.take(newest, false, everything, 10_000);
  expect(left).toHaveLength(index.size);
  expect(left.at(-1)?.micros).toBe((dropped?.micros ?? 0) + 2);
});

test('entries of a key are removed, and no others', () => {
  fc.assert(
    fc.property(entriesOf(200, 20), fc.nat(20), fc.nat(3), (entries, micros, hash) => {
      const index = indexOf(entries);
      const gone = index.at({ micros, hash }).flatMap(({ sequence }) => (sequence % 2 === 0 ? sequence : []));
      index.remove({ micros, hash }, new Set(gone));
      const left = entries.filter(({ sequence }) => !gone.includes(sequence));
      const found = index.take(newest, false, everything, entries.length);
      const numbers = (of: readonly { readonly sequence: number }[]) => new Set(of.map(({ sequence }) => sequence));
      expect(numbers(found)).toEqual(numbers(left));
      expect(index.size).toBe(left.length);
    }),
  );
});

test('what is removed of a key costs the same in a large index', () => {
  const index = new CallIndex();
  for (let at = 0; at < 40_000; at++) {
    index.add({ micros: at, hash: 0, sequence: at, function: 'a', queue: 'x', marks: [0, 0], status: 0 });
  }
  let looks = 0;
  const has = (sequence: number): boolean => {
    looks += 1;
    return sequence === 20_000;
  };
  index.remove({ micros: 20_000, hash: 0 }, { has });
  expect(index.at({ micros: 20_000, hash: 0 })).toEqual([]);
  expect(index.size).toBe(39_999);
  expect(looks).toBeLessThan(10_000);
});
