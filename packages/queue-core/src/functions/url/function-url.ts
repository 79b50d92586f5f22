import { parseUrl } from '@asyncfn/units';
/** The rule for a function's URL, for error texts. */
export const urlExpectation =
  'must be an absolute http or https URL without query or fragment, for example http://thumbnail:8080';

/** A check of a function's URL: the problem, or undefined. */
type Objection = (text: string) => string | undefined;

/**
 * The problem of a function's URL, as a text that follows it: `has a query or a fragment`. Undefined if it can be
 * called. Stricter than WHATWG URLs, which accept `http:gw`, `http://8080` or `http://$HOST` with an unintended
 * meaning. `{name}` stands for the function's name.
 */
export function objectToUrl(text: string): string | undefined {
  for (const objection of objections) {
    const found = objection(text);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

/**
 * The problem of a URL that {@link objectToUrl} objects to.
 * @param shown what may be shown in its place
 */
export function urlProblem(text: string, expectation = urlExpectation, shown = showUrl(text)): string | undefined {
  const objection = objectToUrl(text);
  return objection === undefined ? undefined : `${expectation}: ${shown} ${objection}`;
}

const longestShown = 200;

/** A text that may be a URL, in quotes, without what could be credentials: user, password and query (P9). */
export function showUrl(text: string): string {
  const shown = text.replace(/^(https?:\/*)?.*@/is, '$1…@').replace(/\?.*$/s, '?…');
  return JSON.stringify(shown.length > longestShown ? `${shown.slice(0, longestShown)}…` : shown);
}

const objections: readonly Objection[] = [
  objectToCharacters,
  objectToTemplates,
  objectToScheme,
  objectToParts,
  objectToHost,
  objectToPath,
  objectToCredentials,
];

/** RFC 3986 has no place for them; a parser of the WHATWG drops some and changes others. */
function objectToCharacters(text: string): string | undefined {
  const [char] = /[\s\p{Cc}"<>\\^`|]/u.exec(text) ?? [];
  if (char === undefined) {
    return text === '' ? 'is empty' : undefined;
  }
  return char.trim() === '' ? 'holds a space or a line break' : `holds ${JSON.stringify(char)}, which no URL does`;
}

/**
 * A variable as in a shell, in Kubernetes or in Make, or a template of other tools. A `$` alone is a character of
 * paths.
 */
function objectToTemplates(text: string): string | undefined {
  const [variable, name = 'NAME'] = /\$[{(]?([A-Z_][A-Z0-9_]+)|\$[{(]/.exec(text) ?? [];
  if (variable !== undefined) {
    return `holds a variable that is not filled in; in a file it is written \${${name}}`;
  }
  return /[{}]/.test(text.replaceAll('{name}', '')) ? 'holds braces, and {name} alone stands for something' : undefined;
}

function objectToScheme(text: string): string | undefined {
  if (!/^https?:/i.test(text)) {
    return 'does not begin with http:// or https://';
  }
  if (!/^https?:\/\/[^/?#]/i.test(text)) {
    return 'has no // with a host behind http: or https:';
  }
  return /^https?:\/\/https?:?\/\//i.test(text) ? 'begins with http:// or https:// twice' : undefined;
}

function objectToParts(text: string): string | undefined {
  if (/[?#]/.test(text)) {
    return 'has a query or a fragment';
  }
  return parseUrl(sampleOf(text)) === undefined ? 'has a host or a port that cannot be read' : undefined;
}

const hostName = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/;

function objectToHost(text: string): string | undefined {
  const { hostname, port } = new URL(sampleOf(text));
  if (!hostName.test(hostname) && !/^\[[0-9a-f:.]+\]$/.test(hostname)) {
    return 'has a host that is neither a name nor an address';
  }
  const [, host = ''] = /^https?:\/\/(?:[^/]*@)?([^/]*?)(?::\d*)?(?:\/|$)/i.exec(text) ?? [];
  if (isReadAsAnother(host, hostname)) {
    return `has a host that is read as ${hostname}; write that if it is meant`;
  }
  return port === '0' ? 'has port 0, where nothing listens' : undefined;
}

/**
 * An address that is not written out, such as `8080` or `127.1`, or a name with escapes. Other alphabets have an ASCII
 * form.
 */
function isReadAsAnother(host: string, hostname: string): boolean {
  const mayDiffer = host.startsWith('[') || (/[^!-~]/.test(host) && !/^[\d.]+$/.test(hostname));
  return !mayDiffer && host.replaceAll('{name}', 'name').toLowerCase() !== hostname;
}

function objectToPath(text: string): string | undefined {
  const path = text.replace(/^https?:\/\/[^/]*/i, '');
  return /%(?![0-9a-f]{2})/i.test(path) ? 'holds a % without two hexadecimal digits behind it; write %25' : undefined;
}

/** Both are sent decoded, as HTTP basic wants them (RFC 7617, 2): a colon ends the user. */
function objectToCredentials(text: string): string | undefined {
  const { username, password } = new URL(sampleOf(text));
  const [user, secret] = [decoded(username), decoded(password)];
  if (user === undefined || secret === undefined) {
    return 'has a user or a password that is not percent-encoded as UTF-8; write % as %25';
  }
  if (/\p{Cc}/u.test(user + secret)) {
    return 'has a control character in its user or password';
  }
  return user.includes(':') ? 'has a colon in its user, which HTTP basic cannot send' : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function sampleOf(text: string): string {
  return text.replaceAll('{name}', 'name');
}
