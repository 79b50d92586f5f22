import { pipeline } from 'node:stream/promises';
import type { HttpExchange } from '../http-listener.ts';

/** Headers that belong to one connection (RFC 9110, section 7.6.1) or describe the framing of the answer. */
const NOT_ECHOED = new Set([
  'connection',
  'date',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // The answer must not reveal the caller's secrets.
  'authorization',
  'cookie',
  'proxy-authorization',
]);

/** Answers with the headers and the body of the request; with `?headers=1` with the headers as JSON instead. */
export async function echo({ request, response, url }: HttpExchange): Promise<void> {
  const headers = echoedHeaders(request.rawHeaders);
  if (url.searchParams.get('headers') === '1') {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ method: request.method, url: request.url, headers })}\n`);
    return;
  }
  response.writeHead(200, headers.flat());
  await pipeline(request, response);
}

function echoedHeaders(rawHeaders: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    pairs.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '']);
  }
  const nominated = pairs
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) =>
      value
        .toLowerCase()
        .split(',')
        .map((name) => name.trim()),
    );
  const dropped = new Set([...NOT_ECHOED, ...nominated]);
  return pairs.filter(([name]) => !dropped.has(name.toLowerCase()));
}
