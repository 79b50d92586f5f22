import type { StoredMsg } from '@nats-io/jetstream';
import { callHeader, isNamePart, parseFunctionName } from '../../call/index.ts';
import { callbackTaskCodec, type DeadLetter, deadLetterCodec, deadLetterSubject } from '../../records/index.ts';

/** A dead letter, whole. */
export interface StoredDeadLetter {
  readonly letter: DeadLetter;
  /** Its sequence in the stream: a dead letter that replaces this one has another. */
  readonly sequence: number;
  /** When the broker stored it: Unix time in milliseconds. */
  readonly storedAtMs: number;
  /** The original header of the call or the callback; empty if it had none. */
  readonly original: string;
  readonly body: Uint8Array;
}

/**
 * The record of a dead letter. Undefined for any other message, and if the record does not match its subject: filters
 * select by the subject, so both must agree.
 */
export function readDeadLetter(subject: string, header: string): DeadLetter | undefined {
  const letter = deadLetterCodec.decode(header);
  const sound = letter !== undefined && isWellNamed(letter) && isTime(letter.createdAt) && isTime(letter.endedAt);
  return sound && deadLetterSubject(letter) === subject ? letter : undefined;
}

/** Undefined for a message that is not a dead letter. */
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

/** Whether a `Date` can represent it. */
function isTime(ms: number): boolean {
  return !Number.isNaN(new Date(ms).getTime());
}
