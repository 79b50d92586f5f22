import { places, staying, traceHeaders } from './call-headers.ts';
import { isForReceivers } from './callback-headers.ts';

/** Headers that functions have from gateways and workers alone. */
const ofOurs: ReadonlySet<string> = new Set([
  'idempotency-key',
  'x-callback-signature',
  'x-duration-seconds',
  'x-flow-control',
  'x-flow-key',
  'x-function-name',
  'x-root-call-id',
  'x-schedule-name',
  'x-scheduled-at',
]);

/** Headers of HTTP itself among those that the gateway reads or drops. */
const ofHttp: ReadonlySet<string> = new Set(['connection', 'host']);

/**
 * The headers without those that steer a call, or say where it comes from: for senders that are strangers.
 * @param rawHeaders names and values in turn
 */
export function withoutControls(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, at) => !isControl(rawHeaders[at - (at % 2)] ?? ''));
}

function isControl(name: string): boolean {
  const lower = name.toLowerCase();
  const isRead = places.has(lower) || traceHeaders.has(lower) || (lower.startsWith('x-') && staying.has(lower));
  return (isRead && !ofHttp.has(lower)) || ofOurs.has(lower) || isForReceivers(name);
}
