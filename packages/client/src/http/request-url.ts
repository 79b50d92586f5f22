import { OptionError } from '../errors/index.ts';

/** Values of a query; undefined ones are left out, and arrays are repeated parameters. */
export type QueryValues = Readonly<
  Record<string, string | number | boolean | readonly (string | number | boolean)[] | undefined>
>;

/** The base of all URLs: without the slash at its end. */
export function toBaseUrl(value: string | URL): string {
  const url = parse(value);
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new OptionError('url: not an absolute http or https URL; write http://127.0.0.1:8080, for example');
  }
  if (url.username !== '' || url.password !== '') {
    throw new OptionError('url: has a user or password; leave them out and set token');
  }
  if (url.search !== '' || url.hash !== '') {
    throw new OptionError('url: has a query or fragment; leave it out');
  }
  return url.href.replace(/\/$/, '');
}

/**
 * Base and path joined, exactly.
 *
 * @param path what comes after the base, byte for byte as it is sent, with its query
 * @throws OptionError if the standard (WHATWG URL) would make `fetch` send something else, such as without `/../`
 */
export function joinUrl(base: string, path: string): string {
  const url = base + path;
  if (path.includes('#') || parse(url)?.href !== url) {
    throw new OptionError(
      'path: cannot be sent as it is. It may not contain `.` or `..` between slashes, `#`, or characters that must be ' +
        'percent-encoded; use encodeURIComponent() for its parts',
    );
  }
  return url;
}

/**
 * A path of encoded parts.
 *
 * @throws OptionError for an id or a name that is missing
 */
export function toPath(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(checkPart(part))}`).join('');
}

function checkPart(part: unknown): string {
  if (typeof part !== 'string' || part === '') {
    throw new OptionError('the id or the name is missing');
  }
  return part;
}

/** `?a=1&b=2`, or nothing. */
export function toQuery(values: QueryValues): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined) {
        query.append(name, String(each));
      }
    }
  }
  return query.size === 0 ? '' : `?${query}`;
}

function parse(value: string | URL): URL | undefined {
  try {
    return new URL(value);
  } catch {
    return undefined;
  }
}
