import type { HeaderList } from '@asyncfn/queue-core';
import { type Framing, isAboutBody, toFraming } from './framing.ts';
import { isSpace, trimSpaces } from './white-space.ts';

/** The head of a response, with harmless mistakes corrected. */
export interface AnswerHead {
  readonly kind: 'head';
  readonly status: number;
  /** Names are tokens. Values contain no control characters other than tabs. */
  readonly headers: HeaderList;
  readonly framing: Framing;
}

/** A head that is not HTTP/1, or that two parsers could read differently. */
export interface MalformedHead {
  readonly kind: 'malformed';
  /** Never quotes the head (P9). */
  readonly reason: string;
  /** Set if the status line is valid. */
  readonly status?: number;
}

const statusLine = /^HTTP\/(\d\.\d)[ \t]+([1-9]\d\d)(?:[ \t].*)?$/s;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Characters that a value may not contain (RFC 9110, 5.5): control characters other than the tab. */
const controls = /[^\t\x20-\x7e\x80-\xff]/g;

/**
 * Parses a head: the status line, the fields and the empty line after them. It corrects what RFC 9112 allows a client to
 * correct: bare line feeds (2.2), folded values (5.2), spaces before a colon (5.1), repeated equal lengths (6.3) and a
 * length beside chunks (6.3). Control characters in a value become spaces (RFC 9110, 5.5). Anything else that breaks the
 * grammar is malformed, and so is a body whose end would be a guess.
 *
 * @param text latin1
 */
export function parseHead(text: string): AnswerHead | MalformedHead {
  const start = parseStatusLine(text);
  if (start === undefined) {
    return { kind: 'malformed', reason: 'the response does not begin with a status line of HTTP/1' };
  }
  const { status, version, end } = start;
  const headers = parseFields(text, end);
  if (typeof headers === 'string') {
    return { kind: 'malformed', reason: headers, status };
  }
  const framing = toFraming(status, version, headers);
  return typeof framing === 'string'
    ? { kind: 'malformed', reason: framing, status }
    : { kind: 'head', status, headers, framing };
}

/** Parses the status line alone; undefined if the text does not begin with a complete, valid one. */
export function parseStatusLine(text: string): { status: number; version: string; end: number } | undefined {
  const end = text.indexOf('\n') + 1;
  const [, version = '', status = ''] = (end > 0 && statusLine.exec(lineOf(text, 0, end))) || [];
  return version === '' ? undefined : { status: Number(status), version, end };
}

/** The line without its line feed and the carriage return before it. */
function lineOf(text: string, start: number, end: number): string {
  return text.slice(start, text.charCodeAt(end - 2) === carriageReturn ? end - 2 : end - 1);
}

const carriageReturn = 13;

/** A field line with nothing to correct, as nearly all are: one match is faster than the steps below. */
const plainLine =
  /([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)\r\n(?![ \t])/y;

/** The fields from `start` up to the empty line, or what is wrong with them. */
function parseFields(text: string, start: number): [string, string][] | string {
  const headers: [string, string][] = [];
  for (let at = start; ; ) {
    plainLine.lastIndex = at;
    const plain = plainLine.exec(text);
    if (plain !== null) {
      const [, name = '', value = ''] = plain;
      headers.push([name, value]);
      at = plainLine.lastIndex;
      continue;
    }
    const end = text.indexOf('\n', at) + 1;
    const line = lineOf(text, at, end);
    if (line === '' || end === 0) {
      return headers;
    }
    const problem = addField(headers, line);
    if (problem !== undefined) {
      return problem;
    }
    at = end;
  }
}

function addField(headers: [string, string][], line: string): string | undefined {
  const last = headers.at(-1);
  if (isSpace(line.charCodeAt(0))) {
    if (last === undefined) {
      return 'the first header line begins with white space';
    }
    last[1] = trimSpaces(`${last[1]} ${toValue(line)}`);
    return undefined;
  }
  const colon = line.indexOf(':');
  const name = trimSpaces(line.slice(0, Math.max(0, colon)));
  if (!token.test(name)) {
    return colon < 0 ? 'a header line has no colon' : 'a header name has invalid characters';
  }
  const raw = line.slice(colon + 1);
  const value = toValue(raw);
  if (value !== raw && hasControls(raw) && isAboutBody(name)) {
    return 'Content-Length or Transfer-Encoding has control characters';
  }
  headers.push([name, value]);
  return undefined;
}

function toValue(raw: string): string {
  return trimSpaces(raw.replace(controls, ' '));
}

function hasControls(raw: string): boolean {
  return raw.search(controls) >= 0;
}
