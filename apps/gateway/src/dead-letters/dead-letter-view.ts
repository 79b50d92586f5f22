import { type AttemptRecord, callbackTaskCodec, callbackUrlOf, type DeadLetter, decodeCall } from '@asyncfn/queue-core';
import type { FunctionNames } from '@asyncfn/queue-core/functions';
import type { DeadLetterEntry, StoredDeadLetter } from '@asyncfn/queue-core/jetstream';
import { displayUrl } from '@asyncfn/service-kit';

/**
 * A dead letter as operators see it in a list. It contains no bodies, header values or secrets in URLs (P9).
 */
export function toListView(letter: Omit<DeadLetterEntry, 'sequence'>, names: Pick<FunctionNames, 'resolve'>) {
  const { callId, submitter, kind, function: name, queue, reason, lastStatus, attempts, createdAt, endedAt } = letter;
  const { labels, bytes, omitted } = letter;
  return {
    callId,
    submitter,
    kind,
    function: names.resolve(name),
    queue,
    reason,
    lastStatus,
    attempts,
    labels,
    createdAt: new Date(createdAt).toISOString(),
    endedAt: new Date(endedAt).toISOString(),
    bytes,
    omitted,
  };
}

/** @param kinds the kinds of dead letters of the call id */
export function toDetailView(
  stored: StoredDeadLetter,
  kinds: readonly DeadLetter['kind'][],
  names: Pick<FunctionNames, 'resolve'>,
) {
  const { letter, body } = stored;
  return {
    ...toListView({ ...letter, bytes: body.length }, names),
    kinds,
    replays: letter.generation,
    ...(letter.kind === 'call' ? viewOfCall(stored) : viewOfCallback(stored)),
  };
}

/** The attempts of a call that has failed, oldest first. */
export function attemptsOfLetter({ original, body }: StoredDeadLetter): readonly AttemptRecord[] {
  const decoded = decodeCall(original, body);
  return decoded.kind === 'call' ? (decoded.call.history ?? []) : [];
}

function viewOfCall({ original, body }: StoredDeadLetter) {
  const decoded = decodeCall(original, body);
  if (decoded.kind === 'undecodable') {
    return {};
  }
  const { path } = decoded.call;
  const callbackUrl = callbackUrlOf(decoded.call, 'failed');
  return { path, ...(callbackUrl !== undefined && { callbackUrl: displayUrl(callbackUrl) }) };
}

function viewOfCallback({ original }: StoredDeadLetter) {
  const task = callbackTaskCodec.decode(original);
  return task === undefined ? {} : { callbackUrl: displayUrl(task.url), functionStatus: task.functionStatus };
}
