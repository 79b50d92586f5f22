import type { HeaderList } from './call.ts';

/** Headers that concern one connection and end there (RFC 9110, 7.6.1), including obsolete ones. */
export const hopByHopHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const none: ReadonlySet<string> = new Set();

/**
 * The headers that go on to the next hop, in their order: without those of the connection, those that `Connection`
 * names, and those in `also` (lower case).
 */
export function endToEndHeaders(headers: HeaderList, also: ReadonlySet<string> = none): HeaderList {
  const named = namedByConnection(headers);
  return headers.filter(([name]) => {
    const lower = name.toLowerCase();
    return !hopByHopHeaders.has(lower) && !also.has(lower) && !named.has(lower);
  });
}

/** Most messages have only `keep-alive` there, which is not an end-to-end header anyway: a set is rarely needed. */
function namedByConnection(headers: HeaderList): ReadonlySet<string> {
  let named: Set<string> | undefined;
  for (const [name, value] of headers) {
    if (name.length === 'connection'.length && name.toLowerCase() === 'connection' && value !== 'keep-alive') {
      named ??= new Set();
      for (const option of connectionOptions(value)) {
        named.add(option);
      }
    }
  }
  return named ?? none;
}

/** The names of headers, in lower case, that a value of `Connection` says are about this hop (RFC 9110, 7.6.1). */
export function connectionOptions(value: string): string[] {
  return value.split(',').map((option) => option.trim().toLowerCase());
}
