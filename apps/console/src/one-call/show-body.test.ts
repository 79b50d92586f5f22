import { expect, test } from 'vitest';
import { indentJson, showBody } from './show-body.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

test('text is shown as it is, whatever markup it has', () => {
  const text = '<script>alert(1)</script>\n\tÄ €';
  expect(showBody(bytesOf(text), true)).toEqual({ kind: 'text', text });
  expect(showBody(new Uint8Array(), true)).toEqual({ kind: 'empty', text: '' });
});

test('a part may end within a character', () => {
  const part = bytesOf('a€').subarray(0, 3);
  expect(showBody(part, false)).toEqual({ kind: 'text', text: 'a' });
  expect(showBody(part, true).kind).toBe('binary');
});

test('what is not text is shown as bytes, at most 4 KiB of them', () => {
  expect(showBody(new Uint8Array([0, 0x41, 0xff]), true)).toEqual({
    kind: 'binary',
    text: '00000000  00 41 ff                                         .A.',
  });
  expect(showBody(bytesOf('\u001b[2Jclear'), true).kind).toBe('binary');
  expect(showBody(new Uint8Array(10_000), true).text.split('\n')).toHaveLength(256);
});

test('JSON gets line breaks, and loses nothing', () => {
  const json = '{"n":12345678901234567890,"n":1.0,"s":"a{\\",b","e":{},"l":[1,[]]}';
  const shown = showBody(bytesOf(json), true);
  expect(shown.kind).toBe('json');
  expect(shown.text).toBe(
    '{\n  "n": 12345678901234567890,\n  "n": 1.0,\n  "s": "a{\\",b",\n  "e": {},\n  "l": [\n    1,\n    []\n  ]\n}',
  );
  expect(indentJson('[]')).toBe('[]');
  expect(showBody(bytesOf('{"cut":'), true).kind).toBe('text');
});
