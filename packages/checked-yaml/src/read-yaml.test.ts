import { expect, test } from 'vitest';
import { readYaml } from './read-yaml.ts';

function lineOf(text: string, ...keys: string[]): number | undefined {
  const read = readYaml(text);
  return read.kind === 'value' ? read.lineOf(keys) : undefined;
}

test('the line of a value is that of its key, or of the closest thing around it', () => {
  const text = 'a:\n  b: 1\n  c:\n    - x\n    - y\n';
  expect(lineOf(text, 'a', 'b')).toBe(2);
  expect(lineOf(text, 'a', 'c', '1')).toBe(5);
  expect(lineOf(text, 'a', 'missing', 'deep')).toBe(1);
  expect(lineOf(text)).toBe(1);
});

test('an empty text is an empty map', () => {
  expect(readYaml('')).toMatchObject({ kind: 'value', value: {} });
});

test.each([
  ['a: [', 1],
  ['a: 1\na: 2', 2],
  ['a:\n  b: *nobody', 2],
])('%j is named by its line', (text, line) => {
  expect(readYaml(text)).toMatchObject({
    kind: 'faults',
    faults: expect.arrayContaining([expect.objectContaining({ line })]),
  });
});
