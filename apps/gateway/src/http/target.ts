import type { IncomingMessage } from 'node:http';
import { climbs, isCallId, parseFunctionName } from '@asyncfn/queue-core';
import { type Refusal, refusal } from '../problem.ts';

const prefix = '/async-function/';
const webhookPrefix = '/webhook/';

/** The router sees this constant for the target of every enqueue. */
export const routedTarget = '/async-function/-';

/** The router sees this constant for the target of every webhook. */
export const routedWebhook = '/webhook/-';

/** The router sees this for a target that only an enqueue can have, if the method is another one. */
export const enqueueOnlyTarget = '/async-function/-/-';

/** The router sees this for an invalid call id: no call has it. */
const noCall = '/async-function/~';

/** The target of an enqueue or a webhook. */
export interface Target {
  readonly kind: 'target';
  /** `NAME` or `NAME.NAMESPACE`. */
  readonly name: string;
  /** The part after the name, byte for byte (latin1): empty or with a leading slash. */
  readonly path: string;
  /** The part after the first question mark, byte for byte. */
  readonly query: string;
}

/** Methods that are about a call. All others are about a function. */
const callMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE']);

/** The part after the id of a call in its paths. */
const callPaths: ReadonlySet<string> = new Set(['', '/result', '/attempts']);

/** Whether a request is an enqueue. */
export function isEnqueue({ method, url = '' }: Pick<IncomingMessage, 'method' | 'url'>): boolean {
  return method === 'POST' && originForm(url).startsWith(prefix);
}

/** Whether a request is for a webhook, whatever its method. */
export function isWebhook({ url = '' }: Pick<IncomingMessage, 'url'>): boolean {
  return originForm(url).startsWith(webhookPrefix);
}

/**
 * The URL that the router sees. It contains no function names, sub-paths and queries, because the router would decode
 * them and refuse those that it cannot decode. The absolute form of a request target (RFC 9112, 3.2.2) is reduced to
 * its path.
 */
export function toRoutedUrl(url: string, method = 'POST'): string {
  const target = originForm(url);
  if (target.startsWith(webhookPrefix)) {
    return routedWebhook;
  }
  if (!target.startsWith(prefix)) {
    return target;
  }
  return callMethods.has(method) ? toCallUrl(target) : routedTarget;
}

/** A call is addressed by its id only, so nothing in its URL needs decoding. */
function toCallUrl(target: string): string {
  const [id, path, query] = split(target.slice(prefix.length));
  if (!callPaths.has(path)) {
    return enqueueOnlyTarget;
  }
  return `${isCallId(id) ? `${prefix}${id}` : noCall}${path}${query === '' ? '' : `?${query}`}`;
}

/** Parses the raw request target of an enqueue, without decoding anything. */
export function parseTarget(url: string): Target | Refusal {
  return parseAfter(prefix, url);
}

/** The same for the target of a webhook. */
export function parseWebhookTarget(url: string): Target | Refusal {
  return parseAfter(webhookPrefix, url);
}

function parseAfter(start: string, url: string): Target | Refusal {
  const target = originForm(url);
  if (!target.startsWith(start)) {
    return refusal('not_found', 'Nothing exists at this path.');
  }
  const [name, path, query] = split(target.slice(start.length));
  if (parseFunctionName(name) === undefined) {
    return refusal(
      'invalid_function_name',
      'A function name is NAME or NAME.NAMESPACE, each 1 to 63 letters, digits, hyphens and underscores.',
    );
  }
  if (notInUrl.test(path) || notInUrl.test(query)) {
    return refusal('invalid_path', 'Path and query must not contain spaces or control characters.');
  }
  if (climbs(path)) {
    return refusal('invalid_path', 'The path leaves the function: its ".." segments go above its start.');
  }
  return { kind: 'target', name, path, query };
}

function originForm(url: string): string {
  if (url.startsWith('/')) {
    return url;
  }
  return /^https?:\/\/[^/?]*(.*)$/is.exec(url)?.[1] ?? url;
}

function split(rest: string): [name: string, path: string, query: string] {
  const mark = rest.indexOf('?');
  const beforeQuery = mark < 0 ? rest : rest.slice(0, mark);
  const query = mark < 0 ? '' : rest.slice(mark + 1);
  const slash = beforeQuery.indexOf('/');
  return slash < 0 ? [beforeQuery, '', query] : [beforeQuery.slice(0, slash), beforeQuery.slice(slash), query];
}

/** Anything but visible ASCII and the upper half of latin1. */
const notInUrl = /[^!-~\u0080-\u00ff]/;
