import type { JetStreamManager } from '@nats-io/jetstream';
import { FairTurns } from '../../fair-turns.ts';

/**
 * Bytes of messages that may be on their way at once. nats-server closes a connection for which more than 64 MiB wait
 * (`max_pending`), and with it everything else that the process does.
 */
const maxBytes = 48 * 1024 * 1024;
/** JetStream sends a message within JSON: four characters for three bytes. */
const inJson = 4 / 3;
/** Enough to keep the broker busy, where messages are small. */
const maxReads = 64;
/** The most that a small answer has: it is one header at most, and nats-server takes 64 KiB of headers. */
export const smallBytes = 64 * 1024;
/** If the broker is slower than this, the read fails and the client gets an error, instead of waiting without end. */
const longestWaitMs = 10_000;

/**
 * Limits how many messages are read at once. The owners of the calls take turns, so that a flood of look-ups delays
 * only the owner that sends it. The size of a message is not known before it arrives: the broker sends all of it, even
 * to a reader that needs only its headers, or asks whether it exists.
 */
export class ReadTurns extends FairTurns {
  /** @param maxPayload the largest message, in bytes */
  constructor(maxPayload: number, waitMs = longestWaitMs) {
    const max = Math.max(1, Math.min(maxReads, Math.floor(maxBytes / (maxPayload * inJson))));
    super({ max, waitMs });
  }
}

/** What is known of an answer: `small` for a message without a body, or no message at all. */
export type AnswerSize = 'any' | 'small';

const turnsOf = new WeakMap<JetStreamManager, Readonly<Record<AnswerSize, ReadTurns>>>();

/** Has the reads by way of a manager take turns. Small answers do not wait for large ones. */
export function limitReads(manager: JetStreamManager, maxPayload: number, waitMs?: number): void {
  turnsOf.set(manager, { any: new ReadTurns(maxPayload, waitMs), small: new ReadTurns(smallBytes, waitMs) });
}

/** A request by way of a manager. */
export interface ReadOptions {
  /** Whose call it is about, as its address has it: owners take turns. */
  readonly owner?: string | undefined;
  /** Default: as large as `max_payload`. */
  readonly size?: AnswerSize | undefined;
}

/** A read by way of a manager, when it is its turn. */
export async function inTurn<T>(
  manager: JetStreamManager,
  read: () => Promise<T>,
  { owner, size = 'any' }: ReadOptions = {},
): Promise<T> {
  const turns = turnsOf.get(manager);
  return turns === undefined ? await read() : await turns[size].run(read, owner);
}
