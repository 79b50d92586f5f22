import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerReader } from './answer-reader.ts';

const ok = 'HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\nContent-Length: 2\r\n\r\nok';

const responses = [
  ok,
  `\r\n\n${ok}`,
  `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\nLink: </a>\n\n${ok}`,
  'HTTP/1.1 204 No Content\nContent-Length: 2\n\nok',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n\n\n\r\n\r\n',
  'HTTP/1.1 500\r\nX:\r\n \r\n\r\n\r\nbody\n\n',
  'HTTP/1.1 200 OK\r\nwhat\r\n\r\n',
  'HTTP/1.1 200 OK\r\nX: 1\r\n',
  'HTTP/1.1 20',
  'HTTX/1.1 200 OK\r\n\r\n',
  `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(300)}\r\n\r\n`,
];

/** Feeds a response in pieces; returns what undici would have read, and what the listener received. */
function read(pieces: readonly Buffer[]) {
  const told: unknown[] = [];
  const reader = new AnswerReader(256);
  reader.expect({
    onFirstByte: () => void told.push('first byte'),
    onStatus: (status) => void told.push(status),
    onHead: ({ status, headers }) => void told.push([status, headers]),
  });
  let passed = '';
  try {
    for (const piece of pieces) {
      passed += reader.read(piece)?.toString('latin1') ?? '';
    }
    reader.end();
  } catch (error) {
    return { passed, told, problem: String(error) };
  }
  return { passed, told, problem: undefined };
}

test('undici gets the body and only the headers that it needs to find its end', () => {
  expect(read([Buffer.from(ok)])).toEqual({
    passed: 'HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nok',
    told: [
      'first byte',
      200,
      [
        200,
        [
          ['X-A', 'one two'],
          ['Content-Length', '2'],
        ],
      ],
    ],
    problem: undefined,
  });
});

test('a response is read alike, however it is cut into pieces', () => {
  const cases = fc
    .constantFrom(...responses)
    .chain((response) =>
      fc.record({ response: fc.constant(response), cuts: fc.array(fc.nat(response.length), { maxLength: 8 }) }),
    );
  fc.assert(
    fc.property(cases, ({ response, cuts }) => {
      const bytes = Buffer.from(response, 'latin1');
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      expect(read(pieces.filter(({ length }) => length > 0))).toEqual(read([bytes]));
    }),
    { numRuns: 5_000 },
  );
});

test('bytes after the head, and before a request, are passed on unchanged', () => {
  const reader = new AnswerReader(256);
  const stray = Buffer.from('HTTP/1.1 408 Request Timeout\r\n\r\n');
  expect(reader.read(stray)).toBe(stray);
  reader.expect({ onFirstByte: () => {}, onStatus: () => {}, onHead: () => {} });
  reader.read(Buffer.from(ok));
  expect(reader.read(stray)).toBe(stray);
  expect(() => reader.end()).not.toThrow();
});

test('a connection that is closed without a byte yields no response', () => {
  const reader = new AnswerReader(256);
  reader.expect({ onFirstByte: () => {}, onStatus: () => {}, onHead: () => {} });
  expect(() => reader.end()).not.toThrow();
});
