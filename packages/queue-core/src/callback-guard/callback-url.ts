import { isIPv6 } from 'node:net';
import { parseUrl } from '@asyncfn/units';
import type { UrlCredentials } from '../url-credentials.ts';

/** A callback URL in its two forms: the parsed one is checked, the caller's original is sent. */
export interface CallbackUrl {
  /** Parsed as a WHATWG URL, which decides where it leads. */
  readonly parsed: URL;
  /** Path and query byte for byte, for the request line. A fragment is never sent (RFC 9110, 7.1). */
  readonly target: string;
  /** User and password, decoded; undefined if it has neither. */
  readonly credentials: UrlCredentials | undefined;
  /**
   * Why another parser could read another host or user: a sentence without its full stop that quotes nothing of it
   * (P9). Undefined if all parsers agree.
   */
  readonly ambiguity: string | undefined;
}

const form = /^https?:\/\/([^/?#]*)([^#]*)(?:#.*)?$/i;
const visibleAscii = /^[!-~]+$/;

/** Parses a callback URL. Undefined unless it is an absolute http or https URL of visible ASCII characters. */
export function readCallbackUrl(text: string): CallbackUrl | undefined {
  const [, authority, rest = ''] = visibleAscii.test(text) ? (form.exec(text) ?? []) : [];
  const parsed = parseUrl(text);
  if (authority === undefined || parsed === undefined) {
    return undefined;
  }
  const { userinfo, host } = splitAuthority(authority);
  // For example http://a\@b/: its host is a to WHATWG URLs, and b to parsers that follow RFC 3986.
  const backslash = authority.includes('\\') ? 'it has a backslash before its path' : undefined;
  return {
    parsed,
    target: rest.startsWith('/') ? rest : `/${rest}`,
    credentials: toCredentials(userinfo),
    ambiguity: backslash ?? ambiguousUserinfo(userinfo) ?? ambiguousHost(host, parsed),
  };
}

interface Authority {
  readonly userinfo: string | undefined;
  /** Without its port. */
  readonly host: string;
}

/** The last @ ends the userinfo in WHATWG URLs; if there are several, parsers differ. */
function splitAuthority(authority: string): Authority {
  const at = authority.lastIndexOf('@');
  return {
    userinfo: at < 0 ? undefined : authority.slice(0, at),
    host: authority.slice(at + 1).replace(/:\d*$/, ''),
  };
}

function splitUserinfo(userinfo: string): [user: string, password: string] {
  const colon = userinfo.indexOf(':');
  return colon < 0 ? [userinfo, ''] : [userinfo.slice(0, colon), userinfo.slice(colon + 1)];
}

function toCredentials(userinfo: string | undefined): UrlCredentials | undefined {
  const [user, password] = splitUserinfo(userinfo ?? '').map((part) => decoded(part) ?? part);
  return user || password ? { user: user ?? '', password: password ?? '' } : undefined;
}

function ambiguousUserinfo(userinfo: string | undefined): string | undefined {
  if (userinfo === undefined) {
    return undefined;
  }
  const [user, password] = splitUserinfo(userinfo).map(decoded);
  if (userinfo.includes('@')) {
    return 'an @ in its user or password is written %40';
  }
  if (user === undefined || password === undefined) {
    return 'a percent sign in its user or password is written %25';
  }
  // Neither can be sent as HTTP basic (RFC 7617, 2): the receiver would see another user, or none.
  return user.includes(':') || /\p{Cc}/u.test(user + password)
    ? 'its user holds a colon, or one of user and password a control character'
    : undefined;
}

function ambiguousHost(host: string, { hostname }: URL): string | undefined {
  if (host === '') {
    return 'it has more than two slashes in front of its host';
  }
  if (host.includes('%')) {
    return 'its host is percent-encoded';
  }
  const isSame = host.startsWith('[') ? isIPv6(host.slice(1, -1)) : host.toLowerCase() === hostname;
  return isSame ? undefined : 'its host is not in its usual form, such as 192.0.2.1 for an IPv4 address';
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
