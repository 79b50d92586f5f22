import type { JetStreamManager } from '@nats-io/jetstream';
import { type DeadLetter, type DeadLetterReason, deadLetterCodec } from '../../records/index.ts';
import { deadLetterStream } from '../layout/index.ts';
import { type PageBroker, type PulledMessage, type PullReader, readPage } from '../messages/index.ts';
import { readDeadLetter } from './dead-letter-message.ts';

/** A dead letter as it is listed, without its body. */
export interface DeadLetterEntry extends DeadLetter {
  /** Its sequence in the stream. */
  readonly sequence: number;
  /** Length of its body. */
  readonly bytes: number;
}

export interface DeadLetterPage {
  /** Oldest first. */
  readonly entries: readonly DeadLetterEntry[];
  /** The sequence to continue at; undefined if nothing followed the last entry. */
  readonly next: number | undefined;
}

export interface DeadLetterScan {
  /** Subjects to scan, with wildcards. */
  readonly subjects: string[];
  /** First sequence to scan. */
  readonly from: number;
  /** Most entries of a page. */
  readonly limit: number;
  /** Only dead letters with this reason. It is not in the subject, so each dead letter is read. */
  readonly reason?: DeadLetterReason | undefined;
}

/** Most dead letters scanned for one page, so that a page ends even if the reason is rare. */
export const maxScanned = 20_000;

const chunk = 500;

/**
 * Reads a page of dead letters by their headers; bodies stay at the broker. Dead letters that come or go in the
 * meantime do not shift the page, since sequences are never reused. Throws `QueueError`.
 */
export function scanDeadLetters(
  broker: PageBroker,
  manager: JetStreamManager,
  scan: DeadLetterScan,
): Promise<DeadLetterPage> {
  const range = { stream: deadLetterStream, from: scan.from, subjects: scan.subjects };
  return readPage(broker, manager, range, (reader) => collectPage(reader, scan));
}

async function collectPage(reader: PullReader, { reason, limit }: DeadLetterScan): Promise<DeadLetterPage> {
  const entries: DeadLetterEntry[] = [];
  let next = 0;
  let scanned = 0;
  while (reader.pending > 0 && entries.length < limit && scanned < maxScanned) {
    const wanted = reason === undefined ? Math.min(chunk, limit - entries.length) : chunk;
    for (const message of await reader.read(wanted)) {
      if (entries.length === limit) {
        return { entries, next };
      }
      scanned += 1;
      next = message.sequence + 1;
      const entry = toEntry(message);
      if (entry !== undefined && (reason === undefined || entry.reason === reason)) {
        entries.push(entry);
      }
    }
  }
  return { entries, next: reader.pending > 0 ? next : undefined };
}

function toEntry({ message, sequence }: PulledMessage): DeadLetterEntry | undefined {
  const header = (name: string): string => message.headers?.get(name) ?? '';
  const letter = readDeadLetter(message.subject, header(deadLetterCodec.header));
  return letter && { ...letter, sequence, bytes: Number(header('Nats-Msg-Size')) };
}
