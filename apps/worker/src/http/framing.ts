import type { HeaderList } from '@asyncfn/queue-core';
import { trimSpaces } from './white-space.ts';

/** Where the body of a response ends (RFC 9112, 6.3), and whether its connection can be reused. */
export interface Framing {
  /** A number of bytes, `none` for a status without a body, `chunked`, or until the connection closes. */
  readonly body: number | 'none' | 'chunked' | 'until_close';
  readonly keepAlive: boolean;
  /** `Keep-Alive: timeout=N`: how long the server keeps an idle connection, in seconds. */
  readonly idleSeconds: string | undefined;
}

/** The fields about the body and the connection. The values of repeated fields are joined by commas. */
interface FramingFields {
  contentLength: string | undefined;
  transferEncoding: string | undefined;
  connection: string | undefined;
  keepAlive: string | undefined;
}

/** The framing of a response to a POST, or why it is ambiguous. */
export function toFraming(status: number, version: string, headers: HeaderList): Framing | string {
  const fields = framingFields(headers);
  const body = bodyOf(status, fields);
  if (typeof body === 'object') {
    return body.problem;
  }
  return {
    body,
    keepAlive: persists(version, fields) && isTrusted(body, version, fields),
    idleSeconds: /\btimeout=(\d{1,9})\b/i.exec(fields.keepAlive ?? '')?.[1],
  };
}

/** Whether a field determines where the body ends. */
export function isAboutBody(name: string): boolean {
  const key = framingKey(name);
  return key === 'contentLength' || key === 'transferEncoding';
}

function framingFields(headers: HeaderList): FramingFields {
  const fields: FramingFields = {
    contentLength: undefined,
    transferEncoding: undefined,
    connection: undefined,
    keepAlive: undefined,
  };
  for (const [name, value] of headers) {
    const key = framingKey(name);
    if (key !== undefined) {
      const before = fields[key];
      fields[key] = before === undefined ? value : `${before},${value}`;
    }
  }
  return fields;
}

const framingKeys = new Map<string, keyof FramingFields>([
  ['content-length', 'contentLength'],
  ['transfer-encoding', 'transferEncoding'],
  ['connection', 'connection'],
  ['keep-alive', 'keepAlive'],
]);

/** The length already excludes most names. */
function framingKey(name: string): keyof FramingFields | undefined {
  const { length } = name;
  return length === 14 || length === 17 || length === 10 ? framingKeys.get(name.toLowerCase()) : undefined;
}

/** RFC 9112, 6.3. */
function bodyOf(
  status: number,
  { contentLength, transferEncoding }: FramingFields,
): Framing['body'] | { readonly problem: string } {
  if (status < 200 || status === 204 || status === 304) {
    return 'none';
  }
  const codings = toCodings(transferEncoding);
  if (codings.length > 0) {
    const isChunked = codings.length === 1 && codings[0] === 'chunked';
    return isChunked ? 'chunked' : { problem: 'Transfer-Encoding is not chunked' };
  }
  if (contentLength === undefined) {
    return 'until_close';
  }
  return toLength(contentLength) ?? { problem: 'Content-Length is not one number of bytes' };
}

/** Without `identity`, which older servers send and which means nothing. */
function toCodings(value: string | undefined): string[] {
  const codings = value?.toLowerCase().split(',').map(trimSpaces) ?? [];
  return codings.filter((coding) => coding !== '' && coding !== 'identity');
}

/** A list of equal lengths counts as one (RFC 9110, 8.6). */
function toLength(value: string): number | undefined {
  if (/^\d{1,15}$/.test(value)) {
    return Number(value);
  }
  const lengths = value.split(',').map((each) => (/^[ \t]*\d{1,15}[ \t]*$/.test(each) ? Number(each) : undefined));
  return lengths.every((length) => length === lengths[0]) ? lengths[0] : undefined;
}

/** Whether the server keeps the connection open (RFC 9112, 9.3). */
function persists(version: string, { connection }: FramingFields): boolean {
  if (version === '1.1' && (connection === undefined || connection === 'keep-alive')) {
    return true; // as nearly always
  }
  const options = connection?.toLowerCase().split(',').map(trimSpaces) ?? [];
  return version === '1.0' ? options.includes('keep-alive') : version === '1.1' && !options.includes('close');
}

/** Whether it is certain where the next response begins. */
function isTrusted(
  body: Framing['body'],
  version: string,
  { contentLength, transferEncoding }: FramingFields,
): boolean {
  switch (body) {
    case 'none':
      // A server that announces a body may send it, although the status allows none.
      return toCodings(transferEncoding).length === 0 && /^0*$/.test(contentLength ?? '');
    case 'chunked':
      return contentLength === undefined && version === '1.1';
    case 'until_close':
      return false;
    default:
      return true;
  }
}
