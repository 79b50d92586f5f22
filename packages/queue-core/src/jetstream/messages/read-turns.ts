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

const turnsOf = new WeakMap<JetStreamManager, ReadTurns>();

/** Has the reads by way of a manager take turns. */
export function limitReads(manager: JetStreamManager, maxPayload: number, waitMs?: number): void {
  turnsOf.set(manager, new ReadTurns(maxPayload, waitMs));
}

/**
 * A read by way of a manager, when it is its turn.
 * @param owner whose call it is about, as its address has it
 */
export async function inTurn<T>(manager: JetStreamManager, read: () => Promise<T>, owner?: string): Promise<T> {
  const turns = turnsOf.get(manager);
  return turns === undefined ? await read() : await turns.run(read, owner);
}
