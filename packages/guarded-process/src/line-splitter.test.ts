import { expect, test } from 'vitest';
import { createLineSplitter } from './line-splitter.ts';

function split(...chunks: readonly (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line));
  for (const chunk of chunks) {
    splitter.push(Buffer.from(chunk));
  }
  splitter.end();
  return lines;
}

test('lines end at \\n and at \\r\\n, and the last one needs no end', () => {
  expect(split('one\ntwo\r\nthree')).toEqual(['one', 'two', 'three']);
});

test('empty lines are lines, but nothing after the last line end is not', () => {
  expect(split('\n\none\n')).toEqual(['', '', 'one']);
});

test('chunks may be cut anywhere, even within a character', () => {
  const bytes = Buffer.from('größer\r\n✓ done\n🙂');
  for (let at = 0; at <= bytes.length; at++) {
    expect(split(bytes.subarray(0, at), bytes.subarray(at))).toEqual(['größer', '✓ done', '🙂']);
  }
});

test('a separator that JSON leaves unescaped does not cut a line', () => {
  expect(split('{"msg":"a\u2028b"}\n')).toEqual(['{"msg":"a\u2028b"}']);
});

test('a line without an end is handed over in pieces once it is very long', () => {
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line));
  const chunk = Buffer.alloc(64 * 1024, 'x');
  for (let i = 0; i < 16; i++) {
    splitter.push(chunk);
  }
  expect(lines.map((line) => line.length)).toEqual([1024 * 1024]);
});
