import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHead } from './answer-head.ts';

function headOf(...lines: string[]) {
  return parseHead(`${['HTTP/1.1 200 OK', ...lines].join('\r\n')}\r\n\r\n`);
}

function headersOf(...lines: string[]) {
  const head = headOf(...lines);
  return head.kind === 'head' ? head.headers : head.reason;
}

function framingOf(...lines: string[]) {
  const head = headOf(...lines);
  return head.kind === 'head' ? head.framing : head.reason;
}

test.each([
  ['HTTP/1.1 200 OK', 200],
  ['HTTP/1.0 404 Not Found', 404],
  ['HTTP/1.1 200', 200],
  ['HTTP/1.1 200 ', 200],
  ['HTTP/1.1 599 \x01\xff', 599],
  ['HTTP/1.1  \t 201  Created', 201],
  ['HTTP/2.0 200 OK', 200],
  ['HTTP/1.1 999 Request denied', 999],
])('the status line %j says %i', (line, status) => {
  expect(parseHead(`${line}\r\n\r\n`)).toMatchObject({ kind: 'head', status });
});

test.each([
  'HTTP/1.1',
  'HTTP/1.1 20',
  'HTTP/1.1 2000',
  'HTTP/1.1 099',
  'HTTP/1.1 2OO',
  'HTTP/1 200 OK',
  'ICY 200 OK',
  'http/1.1 200 OK',
  '',
])('%j is no status line', (line) => {
  const problem = parseHead(`${line}\r\n\r\n`);
  expect(problem).toEqual({ kind: 'malformed', reason: 'the response does not begin with a status line of HTTP/1' });
});

describe('headers', () => {
  test('keep their order, their case and their bytes', () => {
    expect(headersOf('X-B: 1', 'x-a:caf\xe9 \xa0', 'X-B:\t2\t3 ', 'X-Empty:')).toEqual([
      ['X-B', '1'],
      ['x-a', 'caf\xe9 \xa0'],
      ['X-B', '2\t3'],
      ['X-Empty', ''],
    ]);
  });

  test('that are folded are joined by a space (RFC 9112, 5.2)', () => {
    expect(headersOf('X-A: one', ' two', '\t three', 'X-B:', ' four', 'X-C: 5')).toEqual([
      ['X-A', 'one two three'],
      ['X-B', 'four'],
      ['X-C', '5'],
    ]);
  });

  test('may end with a bare line feed (RFC 9112, 2.2), and have a space before the colon (5.1)', () => {
    expect(parseHead('HTTP/1.1 200 OK\nX-A : 1\nX-B\t: 2\r\n\n')).toMatchObject({
      headers: [
        ['X-A', '1'],
        ['X-B', '2'],
      ],
    });
  });

  test('have spaces in the place of control characters (RFC 9110, 5.5)', () => {
    expect(headersOf('X-A: \x00a\x01\r\x0bb\x7f', 'X-B: a\rSet-Cookie: b')).toEqual([
      ['X-A', 'a   b'],
      ['X-B', 'a Set-Cookie: b'],
    ]);
  });

  test.each([
    ['what', 'a header line has no colon'],
    ['X A: 1', 'a header name has invalid characters'],
    ['X\x01: 1', 'a header name has invalid characters'],
    ['X\xe9: 1', 'a header name has invalid characters'],
    [': 1', 'a header name has invalid characters'],
  ])('of %j cannot be read', (line, reason) => {
    expect(headOf('X-A: 1', line)).toEqual({ kind: 'malformed', status: 200, reason });
  });

  test('cannot begin with one that is folded', () => {
    expect(headersOf(' X-A: 1')).toBe('the first header line begins with white space');
  });

  test('of any bytes are clean, or cannot be read', () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((each) => Buffer.from(each).toString('latin1'));
    const piece = fc.oneof(bytes, fc.constantFrom('\r\n', '\n', ': ', 'X-A', ' ', '\r', '\0', 'Content-Length: 5'));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const head = parseHead(`HTTP/1.1 200 OK\r\n${pieces.join('')}\r\n\r\n`);
        for (const [name, value] of head.kind === 'head' ? head.headers : []) {
          expect(name).toMatch(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
          expect(value).toMatch(/^$|^[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('the end of the body', () => {
  const keepAlive = true;
  test.each([
    [['Content-Length: 12'], { body: 12, keepAlive }],
    [['content-length:0'], { body: 0, keepAlive }],
    [['Content-Length: 007'], { body: 7, keepAlive }],
    [['Content-Length: 2, 2', 'Content-Length: 02'], { body: 2, keepAlive }],
    [['Transfer-Encoding: Chunked'], { body: 'chunked', keepAlive }],
    [['Transfer-Encoding: identity', 'Content-Length: 3'], { body: 3, keepAlive }],
    [['Transfer-Encoding: chunked', 'Content-Length: 3'], { body: 'chunked', keepAlive: false }],
    [[], { body: 'until_close', keepAlive: false }],
    [['Content-Length: 3', 'Connection: Close'], { body: 3, keepAlive: false }],
    [['Content-Length: 3', 'Connection: X-A', 'Connection: close'], { body: 3, keepAlive: false }],
    [['Content-Length: 3', 'Keep-Alive: timeout=5, max=100'], { body: 3, keepAlive, idleSeconds: '5' }],
  ])('after %j', (lines, framing) => {
    expect(framingOf(...lines)).toEqual({ idleSeconds: undefined, ...framing });
  });

  test.each(['2, 3', '-1', '+1', '0x2', '1.0', '', '2 3', ',2', '9'.repeat(16)])(
    'after Content-Length: %j is not known',
    (value) => {
      expect(framingOf(`Content-Length: ${value}`)).toBe('Content-Length is not one number of bytes');
    },
  );

  test.each(['gzip', 'gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'x'])(
    'after Transfer-Encoding: %s is not known',
    (value) => {
      expect(framingOf(`Transfer-Encoding: ${value}`)).toBe('Transfer-Encoding is not chunked');
    },
  );

  test.each([
    'Content-Length: 2\0',
    'Content-Length: \x0b2',
    'Transfer-Encoding: \x0bchunked',
    'Transfer-Encoding: chunked\x7f',
  ])('after %j is not known', (line) => {
    expect(framingOf(line)).toBe('Content-Length or Transfer-Encoding has control characters');
  });

  test.each([
    ['HTTP/1.0 200 OK\r\nContent-Length: 3', { body: 3, keepAlive: false }],
    ['HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive', { body: 3, keepAlive: true }],
    ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive', { body: 'chunked', keepAlive: false }],
    ['HTTP/2.0 200 OK\r\nContent-Length: 3', { body: 3, keepAlive: false }],
    ['HTTP/1.1 204 No Content', { body: 'none', keepAlive: true }],
    ['HTTP/1.1 204 No Content\r\nContent-Length: 0', { body: 'none', keepAlive: true }],
    ['HTTP/1.1 204 No Content\r\nContent-Length: 2', { body: 'none', keepAlive: false }],
    ['HTTP/1.1 204 No Content\r\nContent-Length: 2, 3', { body: 'none', keepAlive: false }],
    ['HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: gzip', { body: 'none', keepAlive: false }],
    ['HTTP/1.1 103 Early Hints\r\nContent-Length: 3', { body: 'none' }],
  ])('of %j', (head, framing) => {
    expect(parseHead(`${head}\r\n\r\n`)).toMatchObject({ kind: 'head', framing });
  });
});
