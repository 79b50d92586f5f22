import type { MsgHdrs } from '@nats-io/transport-node';
import type { OutgoingHeaders } from './message-headers.ts';

/** When a schedule is due: `@at` and a time. */
const scheduleHeader = 'Nats-Schedule';

/**
 * Turns a message into a server-side schedule (NATS ADR-51): the server holds it, even over restarts, and publishes it
 * to `target` when it is due.
 * @param dueAt Unix time in milliseconds; a past time means at once
 */
export function setSchedule(headers: OutgoingHeaders, target: string, dueAt: number): void {
  headers.set(scheduleHeader, `@at ${new Date(dueAt).toISOString()}`);
  headers.set('Nats-Schedule-Target', target);
}

/**
 * Stores the message only if `sequence` is the last one on the subjects of `filter`, checked in one step with storing.
 * 0: only if none exists.
 */
export function expectLast(headers: OutgoingHeaders, filter: string, sequence: number): void {
  headers.set('Nats-Expected-Last-Subject-Sequence', String(sequence));
  headers.set('Nats-Expected-Last-Subject-Sequence-Subject', filter);
}

/** When a schedule is due: Unix time in milliseconds; undefined for a message that is not a schedule of this kind. */
export function scheduledAt(headers: MsgHdrs): number | undefined {
  const at = Date.parse(headers.get(scheduleHeader).replace(/^@at /, ''));
  return Number.isNaN(at) ? undefined : at;
}
