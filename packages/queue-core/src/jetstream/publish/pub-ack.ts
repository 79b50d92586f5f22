import { type PublishResult, type RefusalReason, refused } from '../../publish-result.ts';

/** JetStream's `err_code`s that say more than "failed" (nats-server, errors.json). */
const reasonOfCode: ReadonlyMap<number, RefusalReason> = new Map([
  [10002, 'queue_full'], // resource limits exceeded for account
  [10023, 'queue_full'], // insufficient resources
  [10028, 'queue_full'], // insufficient memory resources available
  [10047, 'queue_full'], // insufficient storage resources available
  [10077, 'queue_full'], // the store failed: a limit of the stream or the disk
  [10054, 'too_large'], // message size exceeds maximum allowed
  [10097, 'too_large'], // header size exceeds maximum allowed of 64k
  [10071, 'conflict'], // wrong last sequence
  [10164, 'undecided'], // wrong last sequence, without the sequence: one for the same subject is under way
  [10167, 'overloaded'], // more messages buffered for the stream than the server takes
]);

interface PubAck {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

/** Reads the broker's answer to a publish. `status` is that of a NATS status message: 503 where no stream listens. */
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
