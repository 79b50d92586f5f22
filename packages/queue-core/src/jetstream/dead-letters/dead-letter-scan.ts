import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { type DeadLetter, type DeadLetterReason, deadLetterCodec } from '../../records/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { deadLetterStream } from '../layout/index.ts';
import { type PulledMessage, PullReader, type PullSubjects } from '../messages/index.ts';
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
/** After this the broker removes the consumer if we could not. */
const idleNanos = 10_000_000_000;

/**
 * Reads a page of dead letters by their headers; bodies stay at the broker. Dead letters that come or go in the
 * meantime do not shift the page, since sequences are never reused. Throws `QueueError`.
 */
export async function scanDeadLetters(
  connection: NatsConnection,
  manager: JetStreamManager,
  scan: DeadLetterScan,
  { inbox, apiPrefix }: PullSubjects,
): Promise<DeadLetterPage> {
  try {
    const info = await manager.consumers.add(deadLetterStream, {
      filter_subjects: scan.subjects,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: scan.from,
      ack_policy: AckPolicy.None,
      headers_only: true,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: idleNanos,
    });
    try {
      return await collectPage(new PullReader(connection, info, { inbox, apiPrefix }), scan);
    } finally {
      await manager.consumers.delete(deadLetterStream, info.name).catch(() => false);
    }
  } catch (error) {
    throw asQueueError(error, 'the dead letters cannot be read');
  }
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
