import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import fresh from 'fresh';
import parseRange from 'range-parser';

/** What a client gets of a result, beside the headers of the result itself. */
interface SelectedPart {
  /** 200 for all of it, 206 for a range, 304 if the client has it, 416 if no byte of the range exists. */
  readonly status: 200 | 206 | 304 | 416;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for 304 and 416. */
  readonly bytes: ByteRange | undefined;
}

/** The first byte, and the one after the last. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** A result, wherever it is. */
export interface Content {
  readonly length: number;
  /** SHA-256. */
  readonly digest: Buffer;
}

/** A result that is in memory. */
export function contentOf(body: Buffer): Content {
  return { length: body.length, digest: createHash('sha256').update(body).digest() };
}

/**
 * Selects what a request asks for: all of a result, one range of its bytes (RFC 9110, 14), or nothing if the client has it
 * (RFC 9110, 13.1.2). Several ranges are answered with all of it, as a server may.
 *
 * The headers have the digest of the whole body (`Repr-Digest`, RFC 9530, 3) and a strong entity tag.
 *
 * @param own headers of the function's response, with names in lower case. Its entity tag counts. If it is itself a range of
 * something, parts of it are not sent.
 */
export function partOf(
  { length, digest }: Content,
  request: IncomingHttpHeaders,
  own: Readonly<Record<string, string | readonly string[]>>,
): SelectedPart {
  const all = { from: 0, to: length };
  const etag = own['etag'] === undefined ? `"${digest.toString('base64url')}"` : String(own['etag']);
  const whole = { etag, 'repr-digest': `sha-256=:${digest.toString('base64')}:` };
  // Without `Cache-Control`: fetch sends `no-cache` beside each condition.
  const condition = { 'if-none-match': request['if-none-match'] };
  if (condition['if-none-match'] !== undefined && fresh(condition, { etag })) {
    return { status: 304, headers: whole, bytes: undefined };
  }
  if (own['content-range'] !== undefined) {
    return { status: 200, headers: whole, bytes: all };
  }
  const headers = { ...whole, 'accept-ranges': 'bytes' };
  const range = rangeOf(request, etag, length);
  if (range === 'none') {
    return { status: 416, headers: { 'Content-Range': `bytes */${length}` }, bytes: undefined };
  }
  if (range === 'all') {
    return { status: 200, headers, bytes: all };
  }
  const { start, end } = range;
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end}/${length}` },
    bytes: { from: start, to: end + 1 },
  };
}

function rangeOf({ range, 'if-range': ifRange }: IncomingHttpHeaders, etag: string, bytes: number) {
  // A weak tag, or a date, does not prove that the bytes are the same (RFC 9110, 13.1.5).
  const isOfAnother = ifRange !== undefined && (ifRange !== etag || etag.startsWith('W/'));
  if (range === undefined || isOfAnother) {
    return 'all';
  }
  const last = /^bytes=-(\d+)$/.exec(range)?.[1];
  // The parser takes more than there is for no byte at all, but it means all of them (RFC 9110, 14.1.2).
  const parsed = parseRange(bytes, Number(last) > bytes ? 'bytes=0-' : range);
  if (parsed === -1) {
    return 'none';
  }
  const [first, ...others] = parsed === -2 || parsed.type !== 'bytes' ? [] : parsed;
  return first === undefined || others.length > 0 ? 'all' : first;
}
