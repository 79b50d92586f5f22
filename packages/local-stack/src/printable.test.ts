import { expect, test } from 'vitest';
import { toPrintable } from './printable.ts';

test('letters of all scripts and emoji stay as they are', () => {
  expect(toPrintable('Grüße, 世界 🎉', 100)).toBe('Grüße, 世界 🎉');
});

test('characters that could move a cursor, turn text around or break a line become dots', () => {
  expect(toPrintable('\x1b[2J\u009b1A\u202e\u2028\ud800\0\t\n', 100)).toBe('·[2J·1A······');
});

test('a long text is cut with an ellipsis, never through a character', () => {
  expect(toPrintable('abcdef', 3)).toBe('abc…');
  expect(toPrintable('ab🎉🎉', 3)).toBe('ab🎉…');
});
