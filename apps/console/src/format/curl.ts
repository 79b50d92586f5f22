export interface CurlRequest {
  readonly url: string;
  /** Default: GET, or POST with a body. */
  readonly method?: 'POST' | 'DELETE';
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
  /** Names the variable of a token instead of the token. */
  readonly needsToken?: boolean;
}

/** A line for a POSIX shell (bash or zsh if a value has control characters). */
export function toCurl({ url, method, headers = [], body, needsToken = false }: CurlRequest): string {
  const parts = [
    'curl -i',
    ...(method === undefined || (method === 'POST' && body !== undefined) ? [] : [`-X ${method}`]),
    quote(url),
    ...(needsToken ? ['-H "Authorization: Bearer $ASYNCFN_TOKEN"'] : []),
    ...headers.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`--data-raw ${quote(body)}`]),
  ];
  return parts.join(' ');
}

/** A word that the shell takes as it is. A terminal gets no control character when it is pasted. */
export function quote(text: string): string {
  if (/^[\w./:=@%+,-]+$/.test(text)) {
    return text;
  }
  return /[\p{Cc}\p{Cf}]/u.test(text.replaceAll('\n', ''))
    ? `$'${toAnsi(text)}'`
    : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The inside of `$'...'`. */
function toAnsi(text: string): string {
  return text.replace(/['\\]|[\p{Cc}\p{Cf}]/gu, (found) =>
    found === "'" || found === '\\' ? `\\${found}` : toBytes(found).map(toOctal).join(''),
  );
}

function toBytes(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

function toOctal(byte: number): string {
  return `\\${byte.toString(8).padStart(3, '0')}`;
}
