import { expect, test } from 'vitest';
import { createCallId } from './call.ts';
import { isCallId } from './call-identity.ts';

test('new call ids are valid, different and sort by their time', () => {
  const ids = Array.from({ length: 20_000 }, createCallId);
  expect(ids.every(isCallId)).toBe(true);
  expect(new Set(ids).size).toBe(20_000);
  expect([...ids].sort()).toEqual(ids);
});

test('a new call id is a UUID of version 7 that contains the time', () => {
  const before = Date.now();
  const id = createCallId();
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const time = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  expect(time).toBeGreaterThanOrEqual(before);
  expect(time).toBeLessThan(before + 10_000);
});

test.each(['', 'a.b', 'a*', '>', 'a b', 'a\n', 'ä', 'a'.repeat(129)])('%j is not a call id', (text) => {
  expect(isCallId(text)).toBe(false);
});

test.each(['a', '_-9Z', 'a'.repeat(128)])('%j is a call id', (text) => {
  expect(isCallId(text)).toBe(true);
});
