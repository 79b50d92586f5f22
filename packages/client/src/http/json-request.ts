import { jsonOf } from './read-answer.ts';
import type { ApiRequest, RequestOptions, Transport } from './transport.ts';

/** The JSON at a path. */
export async function getJson<T>(transport: Transport, path: string, { signal }: RequestOptions): Promise<T> {
  return await transport.request({ method: 'GET', path, repeat: 'safe', signal }, jsonOf<T>);
}

/** The JSON that answers a request, which may have JSON itself. */
export async function sendJson<T>(
  transport: Transport,
  request: Pick<ApiRequest, 'method' | 'path' | 'repeat'>,
  { signal }: RequestOptions,
  content?: unknown,
): Promise<T> {
  return await transport.request({ ...request, ...jsonBody(content), signal }, jsonOf<T>);
}

/** Headers and body of a request with JSON. */
export function jsonBody(content: unknown): Pick<ApiRequest, 'headers' | 'body'> {
  return content === undefined
    ? {}
    : { headers: new Headers({ 'Content-Type': 'application/json' }), body: JSON.stringify(content) };
}
