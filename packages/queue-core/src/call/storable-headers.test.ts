import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withStorableHeaders } from './storable-headers.ts';

const size = (record: unknown): number => Buffer.byteLength(JSON.stringify(record));

test('a record that fits is left as it is', () => {
  const small = { id: 'x', headers: [['A', '1']] as [string, string][] };
  expect(withStorableHeaders(small)).toBe(small);
  const large = { id: 'x', headers: [['A', 'x'.repeat(60_000)]] as [string, string][] };
  expect(withStorableHeaders(large)).toBe(large);
});

test('if a record does not fit, its largest headers are left out, and all others kept in order', () => {
  const headers: [string, string][] = [
    ['A', '1'],
    ['Large', 'x'.repeat(50_000)],
    ['Larger', 'x'.repeat(20_000)],
    ['B', '2'],
  ];
  const { headers: kept, id } = withStorableHeaders({ id: 'x', headers });
  expect([id, kept.map(([name]) => name)]).toEqual(['x', ['A', 'Large', 'B']]);
});

test('whatever the headers are, the record fits into a message', () => {
  const header = fc.tuple(
    fc.string({ maxLength: 20 }),
    fc
      .oneof(fc.constant('"'), fc.constant('\xff'), fc.constant('x'))
      .chain((character) => fc.integer({ min: 0, max: 40_000 }).map((length) => character.repeat(length))),
  );
  fc.assert(
    fc.property(fc.array(header, { maxLength: 8 }), (headers) => {
      const kept = withStorableHeaders({ url: 'u'.repeat(2_000), headers });
      expect(size(kept)).toBeLessThanOrEqual(60 * 1024);
    }),
    { numRuns: 500 },
  );
});
