import { type HeaderList, isForwardable } from '@asyncfn/queue-core';
import { type Refusal, refusal } from '../problem.ts';

/** `X-Callback-Forward-NAME: v` reaches the receivers of callbacks as `NAME: v`. */
const forwardPrefix = 'x-callback-forward-';

const noHeaders: HeaderList = [];
const maxHeaders = 16;
/** Size of the names without the prefix, and of the values. */
const maxBytes = 4 * 1024;

/** Whether a header goes to the receivers of callbacks alone. Most names are too short to be looked at. */
export function isForReceivers(name: string): boolean {
  return name.length >= forwardPrefix.length && name.slice(0, forwardPrefix.length).toLowerCase() === forwardPrefix;
}

/**
 * Those headers without the prefix, in order, except empty ones.
 * @param rawHeaders names and values in turn
 */
export function headersForReceivers(rawHeaders: readonly string[]): HeaderList {
  let found: (readonly [string, string])[] | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    if (value !== '' && isForReceivers(name)) {
      found ??= [];
      found.push([name.slice(forwardPrefix.length), value]);
    }
  }
  return found ?? noHeaders;
}

/** Refuses headers for receivers that are too many, too large, or that callbacks have from us. */
export function checkForwarded(headers: HeaderList): Refusal | undefined {
  if (headers.length === 0) {
    return undefined;
  }
  const bytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (headers.length > maxHeaders || bytes > maxBytes) {
    return refusal(
      'invalid_callback_header',
      `X-Callback-Forward-* may be sent ${maxHeaders} times at most, names and values together at most ${maxBytes} bytes.`,
    );
  }
  const index = headers.findIndex(([name]) => name === '' || !isForwardable(name.toLowerCase()));
  return index < 0
    ? undefined
    : refusal(
        'invalid_callback_header',
        'X-Callback-Forward- must be followed by the name of a header that callbacks do not have from asyncfn: not ' +
          'Content-*, Host, User-Agent, traceparent, a header of the connection, of the signature or of the call. ' +
          `Number ${index + 1} of them is not.`,
      );
}
