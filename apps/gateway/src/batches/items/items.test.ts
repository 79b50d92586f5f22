import { describe, expect, test } from 'vitest';
import { type LineOrTooLarge, parseItem, splitDocument, splitLines } from './index.ts';

async function linesOf(text: string, maxBytes: number, chunkBytes: number): Promise<(string | undefined)[]> {
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      yield bytes.subarray(at, at + chunkBytes);
    }
  }
  const found: LineOrTooLarge[] = [];
  for await (const line of splitLines(chunks(), maxBytes)) {
    found.push(line);
  }
  return found.map((line) => (line.kind === 'line' ? line.bytes.toString() : undefined));
}

describe('lines', () => {
  test.each([1, 2, 3, 100])('yield the same items, however they arrive (%d bytes at once)', async (chunkBytes) => {
    expect(await linesOf('{"a":"ü"}\r\n\n  \n{}\n{"b":1}', 100, chunkBytes)).toEqual(['{"a":"ü"}\r', '{}', '{"b":1}']);
    expect(await linesOf('', 100, chunkBytes)).toEqual([]);
  });

  test.each([1, 3, 100])('that are too long are named, and no other line is lost (%d)', async (chunkBytes) => {
    expect(await linesOf('12345\n123456\n12345\n1234567', 5, chunkBytes)).toEqual([
      '12345',
      undefined,
      '12345',
      undefined,
    ]);
  });
});

describe('a document', () => {
  test.each([
    ['{"calls":[]}', []],
    ['{"calls":[ ]}', []],
    ['{"calls":[{"a":[1,2]},{"b":"],\\"}"} , 3]}', ['{"a":[1,2]}', '{"b":"],\\"}"}', '3']],
    [' {"callbackUrl":"calls","x":{"calls":[1]},"calls" : [ {"ü":"{"} ] } ', ['{"ü":"{"}']],
    ['{"calls":["\\\\",","]}', ['"\\\\"', '","']],
    ['{"x":1}', []],
    ['{"calls":7}', []],
  ])('%s has its calls taken apart', async (text, calls) => {
    const bytes = Buffer.from(text);
    const split = await splitDocument(bytes);
    expect(split?.calls.map(([start, end]) => bytes.toString('utf8', start, end).trim())).toEqual(calls);
    const whole = JSON.parse(text) as Record<string, unknown>;
    expect(split?.rest).toEqual(Array.isArray(whole['calls']) ? { ...whole, calls: [] } : whole);
  });

  test.each(['', '[', '{"calls":[}', '{"calls":[1]', '{"calls":[1]]}', '{"calls":[{]}]}'])(
    '%s is refused',
    async (text) => {
      const bytes = Buffer.from(text);
      const split = await splitDocument(bytes);
      const parse = (): unknown[] =>
        split?.calls.map(([start, end]): unknown => JSON.parse(bytes.toString('utf8', start, end))) ?? JSON.parse('');
      expect(parse).toThrow(SyntaxError);
    },
  );
});

test('a large document is parsed while other work continues', async () => {
  const calls = Array.from({ length: 300 }, (_, index) => ({
    body: `${index} \\" ${'x'.repeat(9_000)}`,
    json: [[{}]],
  }));
  const bytes = Buffer.from(JSON.stringify({ calls }));
  let turns = 0;
  const splitting = splitDocument(bytes).finally(() => clearImmediate(other));
  const count = (): void => {
    turns += 1;
    other = setImmediate(count);
  };
  let other = setImmediate(count);
  const split = await splitting;
  expect(turns).toBeGreaterThan(5);
  expect(split?.calls.map(([start, end]) => JSON.parse(bytes.toString('utf8', start, end)) as unknown)).toEqual(calls);
});

describe('an item', () => {
  test('is the request of a single call', () => {
    const item = {
      function: 'thumb.team',
      path: '/a?b=1',
      headers: { 'X-Delay': '5m', 'X-Label': ['a', 'b'] },
      body: 'ü',
    };
    expect(parseItem(JSON.stringify(item))).toEqual({
      kind: 'item',
      url: '/async-function/thumb.team/a?b=1',
      rawHeaders: ['X-Delay', '5m', 'X-Label', 'a', 'X-Label', 'b'],
      body: Buffer.from('ü'),
    });
  });

  test.each([
    [{ bodyBase64: 'AAH/' }, Buffer.from([0, 1, 255]), []],
    [{ json: null }, Buffer.from('null'), ['Content-Type', 'application/json']],
    [{ json: { a: 1 }, headers: { 'content-type': 'text/x' } }, Buffer.from('{"a":1}'), ['content-type', 'text/x']],
    [{}, Buffer.from(''), []],
  ])('may have a body in one of three ways (%#)', (fields, body, rawHeaders) => {
    expect(parseItem(JSON.stringify({ function: 'echo', ...fields }))).toMatchObject({ body, rawHeaders });
  });

  test.each([
    ['no JSON', '{', 'invalid_batch_item'],
    ['no object', '[]', 'invalid_batch_item'],
    ['a member that is not known', '{"function":"f","url":"x"}', 'invalid_batch_item'],
    ['two bodies', '{"function":"f","body":"","json":1}', 'invalid_batch_item'],
    ['a body that is not text', '{"function":"f","body":1}', 'invalid_batch_item'],
    ['bad base64', '{"function":"f","bodyBase64":"a"}', 'invalid_batch_item'],
    [
      'json that is too deep to be written',
      `{"function":"f","json":${'['.repeat(1e5)}${']'.repeat(1e5)}}`,
      'invalid_batch_item',
    ],
    ['no function', '{}', 'invalid_function_name'],
    ['a function that leads elsewhere', '{"function":"f/../g"}', 'invalid_function_name'],
    ['a path without a slash', '{"function":"f","path":"a"}', 'invalid_path'],
    ['a header with a line break', '{"function":"f","headers":{"a":"b\\r\\nc: d"}}', 'invalid_batch_item'],
    ['a header that is no text', '{"function":"f","headers":{"a":1}}', 'invalid_batch_item'],
    ['a header name with a space', '{"function":"f","headers":{"a b":"c"}}', 'invalid_batch_item'],
  ])('with %s is refused', (_, text, code) => {
    expect(parseItem(text)).toMatchObject({ kind: 'refused', code });
  });
});
