import type { StoredMsg } from '@nats-io/jetstream';
import { callHeader, isNamePart, parseFunctionName } from '../../call/index.ts';
import { callbackTaskCodec, type DeadLetter, deadLetterCodec, deadLetterSubject } from '../../records/index.ts';

/** A dead letter, whole. */
export interface StoredDeadLetter {
  readonly letter: DeadLetter;
  /** Its place in the stream: a dead letter that takes the place of this one has another. */
  readonly sequence: number;
  /** When the broker stored it: Unix time in milliseconds. */
  readonly storedAtMs: number;
  /** The header that the call or the callback travelled with; empty where it had none. */
  readonly original: string;
  readonly body: Uint8Array;
}

/**
 * The record of a dead letter. Undefined for a message that is none, or that claims to be another than its subject
 * says: what a filter selects by must be what is shown and replayed.
 */
export function readDeadLetter(subject: string, header: string): DeadLetter | undefined {
  const letter = deadLetterCodec.decode(header);
  const sound = letter !== undefined && isWellNamed(letter) && isTime(letter.createdAt) && isTime(letter.endedAt);
  return sound && deadLetterSubject(letter) === subject ? letter : undefined;
}

/** Undefined for a message that is no dead letter. */
export function toStoredDeadLetter(message: StoredMsg): StoredDeadLetter | undefined {
  const letter = readDeadLetter(message.subject, message.header.get(deadLetterCodec.header));
  if (letter === undefined) {
    return undefined;
  }
  return {
    letter,
    sequence: message.seq,
    storedAtMs: message.time.getTime(),
    original: message.header.get(letter.kind === 'call' ? callHeader : callbackTaskCodec.header),
    body: message.data,
  };
}

function isWellNamed({ queue, function: name }: DeadLetter): boolean {
  return isNamePart(queue) && parseFunctionName(name) !== undefined;
}

/** Within what a `Date` can be. */
function isTime(ms: number): boolean {
  return !Number.isNaN(new Date(ms).getTime());
}
