import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { CollectedBody } from './collected-body.ts';

const size = 300_000;
const bytes = randomBytes(size);
const chunks = Array.from({ length: 10 }, (_, index) => bytes.subarray((index * size) / 10, ((index + 1) * size) / 10));

test.each([
  ['length is known', () => size],
  ['length is not known', () => 0],
  ['room comes late', (index: number) => (index < 3 ? 0 : size)],
])('a body is whole, byte for byte, where its %s', (_, expectedAt) => {
  const body = new CollectedBody();
  for (const [index, chunk] of chunks.entries()) {
    body.add(chunk, expectedAt(index));
  }
  expect(body.toBuffer().equals(bytes)).toBe(true);
});

test('a large body of known length is not copied at its end', () => {
  const body = new CollectedBody();
  body.add(bytes, size);
  expect(body.toBuffer().buffer).toBe(body.toBuffer().buffer);
});

test('a body that is shorter than expected holds only the bytes that came', () => {
  const body = new CollectedBody();
  body.add(bytes, 2 * size);
  expect(body.toBuffer().equals(bytes)).toBe(true);
});

test('a body of nothing is empty', () => {
  expect(new CollectedBody().toBuffer()).toHaveLength(0);
});
