import { OptionError } from '../errors/index.ts';
import type { CallHeaderOptions } from './call-headers.ts';

/** The names of all options of a kind. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** The names of the options that a call has alone and in a batch. */
export const callHeaderOptions: OptionNames<CallHeaderOptions> = {
  path: true,
  query: true,
  headers: true,
  contentType: true,
  callbackUrl: true,
  failureCallbackUrl: true,
  callbackHeaders: true,
  then: true,
  labels: true,
  delay: true,
  notBefore: true,
  expiresIn: true,
  timeout: true,
  maxRetries: true,
  callId: true,
  functionAuthorization: true,
  traceparent: true,
  tracestate: true,
};

/**
 * A misspelt option would be left out without a word where no types are checked, and with `callbackUrl` the result.
 *
 * @throws OptionError for an option that does not exist
 */
export function checkOptions<T extends object>(options: T, names: OptionNames<T>): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (unknown !== undefined) {
    const all = Object.keys(names);
    const meant = all.find((name) => name.toLowerCase() === unknown.toLowerCase());
    throw new OptionError(`${JSON.stringify(unknown)} is not an option; write ${meant ?? `one of ${all.join(', ')}`}`);
  }
}
