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
/** A broker that is slower than this does not answer: clients are told so, instead of waiting in a line without an end. */
const longestWaitMs = 10_000;

/**
 * Reads messages, so many at once and no more. Whose calls they are about take turns, so that a flood of look-ups waits for
 * itself. How large a message is shows when it is there: the broker sends all of it, also to those who want to know its
 * headers, or whether it exists.
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
export function limitReads(manager: JetStreamManager, maxPayload: number): void {
  turnsOf.set(manager, new ReadTurns(maxPayload));
}

/**
 * A read by way of a manager, when it is its turn.
 * @param owner whose call it is about, as its address has it
 */
export async function inTurn<T>(manager: JetStreamManager, read: () => Promise<T>, owner?: string): Promise<T> {
  const turns = turnsOf.get(manager);
  return turns === undefined ? await read() : await turns.run(read, owner);
}
