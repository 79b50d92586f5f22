import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNamePart, parseFunctionName } from './function-name.ts';

const longest = 'a'.repeat(63);

test.each([
  ['thumbnail', { name: 'thumbnail', namespace: undefined }],
  ['thumbnail.prod', { name: 'thumbnail', namespace: 'prod' }],
  [`${longest}.${longest}`, { name: longest, namespace: longest }],
  ['_-9', { name: '_-9', namespace: undefined }],
])('%s is a name', (text, expected) => {
  expect(parseFunctionName(text)).toEqual(expected);
});

test.each(['', '.', 'a.', '.a', 'a.b.c', 'a..b', 'a b', 'a*', '>', 'a%2eb', 'a\n', 'a\0', 'ä', `${longest}a`, 'a/b'])(
  '%j is refused',
  (text) => {
    expect(parseFunctionName(text)).toBeUndefined();
  },
);

test('an accepted name consists only of allowed characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '.', '*', '>', ' ', '\n', '~', '@', '_') }), (text) => {
      const parsed = parseFunctionName(text);
      if (parsed !== undefined) {
        expect(text).toMatch(/^[a_]+(\.[a_]+)?$/);
        expect(isNamePart(parsed.name)).toBe(true);
      }
    }),
  );
});
