import type { MsgHdrs } from '@nats-io/transport-node';
import type { OutgoingHeaders } from './message-headers.ts';

/** When a schedule is due: `@at` and a time. */
const scheduleHeader = 'Nats-Schedule';

/**
 * Makes of a message a server-side schedule (NATS ADR-51): the server holds it, over restarts, and puts it on `target`
 * at the time.
 * @param dueAt Unix time in milliseconds; a time that is past is at once
 */
export function setSchedule(headers: OutgoingHeaders, target: string, dueAt: number): void {
  headers.set(scheduleHeader, `@at ${new Date(dueAt).toISOString()}`);
  headers.set('Nats-Schedule-Target', target);
}

/**
 * Stores the message only if `sequence` is the last one on the subjects of `filter`, checked in one step with storing.
 * 0: only if there is none.
 */
export function expectLast(headers: OutgoingHeaders, filter: string, sequence: number): void {
  headers.set('Nats-Expected-Last-Subject-Sequence', String(sequence));
  headers.set('Nats-Expected-Last-Subject-Sequence-Subject', filter);
}

/** When a message is put on its target: Unix time in milliseconds; undefined for one that is no schedule of this kind. */
export function scheduledAt(headers: MsgHdrs): number | undefined {
  const at = Date.parse(headers.get(scheduleHeader).replace(/^@at /, ''));
  return Number.isNaN(at) ? undefined : at;
}
