/** What the form has, as it is written. */
export interface CallTexts {
  /** Sub-path and query, after the name of the function. */
  readonly target: string;
  readonly body: string;
  readonly mediaType: string;
  readonly labels: string;
  readonly delay: string;
  readonly retries: string;
  readonly callbackUrl: string;
  /** Further headers, one a line. */
  readonly headers: string;
}

export const noTexts: CallTexts = {
  target: '',
  body: '',
  mediaType: 'text/plain',
  labels: '',
  delay: '',
  retries: '',
  callbackUrl: '',
  headers: '',
};

type Header = readonly [string, string];

export interface CallRequest {
  readonly kind: 'request';
  readonly path: string;
  readonly headers: readonly Header[];
  readonly body: string;
}

/** What cannot be sent, and which field says it. */
interface Refused {
  readonly kind: 'refused';
  readonly field: keyof CallTexts;
  readonly problem: string;
}

/** The request of a form. What the gateway checks is left to the gateway. */
export function toRequest(name: string, texts: CallTexts): CallRequest | Refused {
  const path = toPath(name, texts.target.trim());
  if (path === undefined) {
    return {
      kind: 'refused',
      field: 'target',
      problem: `The path must stay below /async-function/${name}, without #.`,
    };
  }
  const further = parseHeaders(texts.headers);
  if (typeof further === 'string') {
    return { kind: 'refused', field: 'headers', problem: further };
  }
  const own: readonly Header[] = [
    ['Content-Type', texts.body === '' ? '' : texts.mediaType],
    ['X-Label', texts.labels],
    ['X-Delay', texts.delay],
    ['X-Max-Retries', texts.retries],
    ['X-Callback-Url', texts.callbackUrl],
  ];
  const headers = own.map(([header, text]) => [header, text.trim()] as const).filter(([, text]) => text !== '');
  const wrong = headers.find(([, value]) => !isValue(value));
  return wrong === undefined
    ? { kind: 'request', path, headers: [...headers, ...further], body: texts.body }
    : { kind: 'refused', field: 'headers', problem: `${wrong[0]} ${badValue}` };
}

/** Undefined if it would lead to another path of the API: URLs with `..` are shortened before they are sent. */
function toPath(name: string, target: string): string | undefined {
  const base = `/async-function/${name}`;
  const isRelative = target !== '' && !/^[/?]/.test(target);
  const url = new URL(`${base}${isRelative ? '/' : ''}${target}`, 'http://gateway');
  const isBelow = url.pathname === base || url.pathname.startsWith(`${base}/`);
  return isBelow && url.hash === '' && !target.endsWith('#') ? url.pathname + url.search : undefined;
}

/** Headers that a page cannot send (Fetch, forbidden request-header): the browser would leave them out and say nothing. */
const forbidden =
  /^(accept-charset|accept-encoding|access-control-request-.*|connection|content-length|cookie2?|date|dnt|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|proxy-.*|sec-.*)$/i;

const badValue = 'has a character that cannot be in a header: up to U+00FF, and no line breaks.';

/** The headers, or what is wrong with them. */
function parseHeaders(text: string): readonly Header[] | string {
  const lines = text.split('\n').map((line) => line.trim());
  const headers: Header[] = [];
  for (const [at, line] of lines.entries()) {
    const [, name = '', value = ''] = line.match(/^([\w!#$%&'*+.^`|~-]+):\s*(.*)$/) ?? [];
    const problem = line === '' ? undefined : whatIsWrong(name, value);
    if (problem !== undefined) {
      return `Line ${at + 1} of the headers: ${problem}`;
    }
    headers.push(...(line === '' ? [] : [[name, value] as const]));
  }
  return headers;
}

function whatIsWrong(name: string, value: string): string | undefined {
  if (name === '') {
    return 'it is not a header; write NAME: VALUE.';
  }
  if (forbidden.test(name)) {
    return `browsers do not let a page send ${name}. Use curl for it.`;
  }
  if (name.toLowerCase() === 'authorization') {
    return 'Authorization is for the gateway, and is sent by itself. X-Function-Authorization reaches the function.';
  }
  return isValue(value) ? undefined : `${name} ${badValue}`;
}

function isValue(value: string): boolean {
  return /^[\t\x20-\x7e\xa0-\xff]*$/.test(value);
}
