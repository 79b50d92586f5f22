import type { OptionNames } from '../errors/index.ts';
import type { CallHeaderOptions } from './call-headers.ts';

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
  flowKey: true,
  flowControl: true,
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
