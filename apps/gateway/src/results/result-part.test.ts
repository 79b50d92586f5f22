import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { contentOf, partOf as selectPart } from './result-part.ts';

const body = Buffer.from('0123456789');

/** What a client gets of it. */
function partOf(of: Buffer, ...[request, own]: [Parameters<typeof selectPart>[1], Parameters<typeof selectPart>[2]]) {
  const { bytes, ...part } = selectPart(contentOf(of), request, own);
  return { ...part, body: bytes && of.subarray(bytes.from, bytes.to) };
}

const hash = createHash('sha256').update(body);
const sum = hash.copy().digest('base64');
const etag = `"${hash.copy().digest('base64url')}"`;
const digest = `sha-256=:${sum}:`;

test('a result has a strong entity tag, and the digest of its bytes', () => {
  expect(partOf(body, {}, {})).toEqual({
    status: 200,
    headers: { etag, 'repr-digest': digest, 'accept-ranges': 'bytes' },
    body,
  });
});

describe('a range', () => {
  test.each<[range: string, text: string, contentRange: string]>([
    ['bytes=0-3', '0123', 'bytes 0-3/10'],
    ['bytes=4-', '456789', 'bytes 4-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
    ['bytes=8-100', '89', 'bytes 8-9/10'],
    ['bytes=-100', '0123456789', 'bytes 0-9/10'],
    ['bytes=9-9', '9', 'bytes 9-9/10'],
  ])('%s is that part, with the digest of the whole', (range, text, contentRange) => {
    const part = partOf(body, { range }, {});
    expect(part).toMatchObject({
      status: 206,
      headers: { etag, 'repr-digest': digest, 'content-range': contentRange },
    });
    expect(part.body?.toString()).toBe(text);
  });

  test.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('%s, of which no byte exists, is 416', (range) => {
    expect(partOf(body, { range }, {})).toMatchObject({
      status: 416,
      headers: { 'Content-Range': 'bytes */10' },
      body: undefined,
    });
  });

  test.each(['bytes=0-1,4-5', 'pages=1-2', 'bytes', 'x', ''])(
    'that cannot be given alone is all of it: "%s"',
    (range) => {
      expect(partOf(body, { range }, {})).toMatchObject({ status: 200, body });
    },
  );

  test('of an empty result is 416, and the whole one is empty', () => {
    expect(partOf(Buffer.alloc(0), { range: 'bytes=0-' }, {}).status).toBe(416);
    expect(partOf(Buffer.alloc(0), {}, {}).status).toBe(200);
  });

  test.each<[ifRange: string, status: number]>([
    [etag, 206],
    ['"other"', 200],
    [`W/${etag}`, 200],
    ['Sat, 31 Jan 2026 12:00:00 GMT', 200],
  ])('counts if the client has the rest of this very result: If-Range %s', (ifRange, status) => {
    expect(partOf(body, { range: 'bytes=0-3', 'if-range': ifRange }, {}).status).toBe(status);
  });

  test('of a response that is itself a range is all of it', () => {
    const part = partOf(body, { range: 'bytes=0-3' }, { 'content-range': 'bytes 90-99/100' });
    expect(part).toEqual({ status: 200, headers: { etag, 'repr-digest': digest }, body });
  });
});

describe('a client that has the result', () => {
  test.each([etag, `W/${etag}`, `"other", ${etag}`, '*'])('gets 304 for If-None-Match %s', (known) => {
    expect(partOf(body, { 'if-none-match': known }, {})).toMatchObject({ status: 304, body: undefined });
  });

  test('gets 304 although fetch asks caches for a fresh answer', () => {
    expect(partOf(body, { 'if-none-match': etag, 'cache-control': 'no-cache' }, {}).status).toBe(304);
  });

  test('gets all of it if it has another one', () => {
    expect(partOf(body, { 'if-none-match': '"other"' }, {})).toMatchObject({ status: 200, body });
  });
});

test("the function's own entity tag counts", () => {
  const own = { etag: '"v7"' };
  expect(partOf(body, {}, own).headers).toMatchObject({ etag: '"v7"', 'repr-digest': digest });
  expect(partOf(body, { 'if-none-match': '"v7"' }, own).status).toBe(304);
});
