import { type PublishResult, type RefusalReason, refused } from '../../publish-result.ts';
import { errorCode } from '../error-codes.ts';

/** JetStream's errors that say more than "failed". */
const reasonOfCode: ReadonlyMap<number, RefusalReason> = new Map([
  [errorCode.accountResourcesExceeded, 'queue_full'],
  [errorCode.insufficientResources, 'queue_full'],
  [errorCode.memoryResourcesExceeded, 'queue_full'],
  [errorCode.storageResourcesExceeded, 'queue_full'],
  [errorCode.streamStoreFailed, 'queue_full'], // a limit of the stream, or the disk
  [errorCode.messageExceedsMaximum, 'too_large'],
  [errorCode.headerExceedsMaximum, 'too_large'],
  [errorCode.streamWrongLastSequence, 'conflict'],
  [errorCode.streamWrongLastSequenceUnknown, 'undecided'], // one for the same subject is under way
  [errorCode.batchTooLarge, 'overloaded'],
]);

interface PubAck {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

/** Parses the broker's answer to a publish. `status` is that of a NATS status message: 503 if no stream listens. */
export function parsePubAck(payload: string, status: number): PublishResult {
  if (status === 503) {
    return refused('unavailable', 'no stream takes this subject');
  }
  const ack = parse(payload);
  if (typeof ack?.seq === 'number' && ack.error === undefined) {
    return { kind: 'stored', sequence: ack.seq, duplicate: ack.duplicate === true };
  }
  if (ack?.error === undefined) {
    return refused('unavailable', 'the answer of the broker is not a PubAck');
  }
  const code = ack.error.err_code ?? 0;
  return refused(reasonOfCode.get(code) ?? 'unavailable', `${ack.error.description ?? 'no description'} (${code})`);
}

function parse(payload: string): PubAck | undefined {
  try {
    return (JSON.parse(payload) as PubAck | null) ?? undefined;
  } catch {
    return undefined;
  }
}
