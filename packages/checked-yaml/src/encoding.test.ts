import { expect, test } from 'vitest';
import { encodingFault } from './encoding.ts';

const text = 'functions:\n  a: { url: http://a }\n';

/** What a process that reads UTF-8 makes of the bytes. */
function read(...parts: (Uint8Array | number[])[]): string {
  return Buffer.concat(parts.map((part) => Buffer.from(part))).toString('utf8');
}

const littleEndian = Buffer.from(text, 'utf16le');
const bigEndian = Buffer.from(text, 'utf16le').swap16();
const utf32 = Buffer.from(Array.from(Buffer.from(text)).flatMap((byte) => [byte, 0, 0, 0]));

test.each([
  ['UTF-16, little-endian', read([0xff, 0xfe], littleEndian), 'UTF-16'],
  ['UTF-16, big-endian', read([0xfe, 0xff], bigEndian), 'UTF-16'],
  ['UTF-16 without a mark', read(littleEndian), 'UTF-16'],
  ['UTF-16 without a mark, big-endian', read(bigEndian), 'UTF-16'],
  ['UTF-32', read([0xff, 0xfe, 0, 0], utf32), 'UTF-32'],
])('a file in %s is told to be that', (_, content, name) => {
  expect(encodingFault(content)).toEqual({
    line: 1,
    problem: `the file is ${name} and not UTF-8; save it as UTF-8`,
  });
});

test('a byte order mark at the start is fine, and one in the middle is named with its line', () => {
  expect(encodingFault(`\uFEFF${text}`)).toBeUndefined();
  expect(encodingFault(`${text}\uFEFF${text}`)).toMatchObject({ line: 3, problem: expect.stringContaining('BOM') });
  expect(encodingFault(`\uFEFF\uFEFF${text}`)).toMatchObject({ line: 1, problem: expect.stringContaining('BOM') });
});

test('a NUL character is named with its line', () => {
  expect(encodingFault('a: 1\nb: "\0"\n')).toEqual({ line: 2, problem: 'a NUL character stands here; remove it' });
});

test.each(['', 'a', text, 'a: grün\n', '# \uFFFD\n'])('%j is UTF-8', (content) => {
  expect(encodingFault(content)).toBeUndefined();
});
