import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { QueueError, type QueueErrorCode } from '../../errors.ts';
import { errorCode } from '../error-codes.ts';

interface Explanation {
  readonly code: QueueErrorCode;
  /** What to change, and where. */
  readonly advice: string;
}

const streamLimit = 'the account at NATS may have no more streams: asyncfn needs ten, and one for each queue';

/** JetStream's errors that need a person, and what that person has to know. */
const explanations: ReadonlyMap<number, Explanation> = new Map([
  [errorCode.accountResourcesExceeded, { code: 'account_limit', advice: 'raise the limits of the account at NATS' }],
  [
    errorCode.maximumConsumersLimit,
    { code: 'consumer_limit', advice: 'each function needs a consumer: raise max_consumers of the account' },
  ],
  [errorCode.maximumStreamsLimit, { code: 'account_limit', advice: streamLimit }],
  [
    errorCode.streamReplicasNotSupported,
    { code: 'replicas', advice: 'STREAM_REPLICAS above 1 needs a cluster of nats-servers, and this one is alone' },
  ],
  [errorCode.streamMaxBytesRequired, { code: 'account_limit', advice: 'set STREAM_MAX_BYTES' }],
  [
    errorCode.noLimitsForReplicas,
    { code: 'account_limit', advice: 'the account at NATS has no limits for streams with this many STREAM_REPLICAS' },
  ],
  [errorCode.streamMaxBytesExceeded, { code: 'account_limit', advice: 'lower STREAM_MAX_BYTES' }],
  // More servers may be about to join.
  [
    errorCode.clusterPeersNotAvailable,
    { code: 'broker', advice: 'STREAM_REPLICAS asks for more copies than there are servers at the moment' },
  ],
]);

/**
 * An error of NATS or JetStream as one of ours. Its own message says what is wrong; if only an operator can fix it,
 * ours names the setting to change.
 * @param what failed
 */
export function asQueueError(cause: unknown, what: string): QueueError {
  if (cause instanceof QueueError) {
    return cause;
  }
  const message = `${what}: ${cause instanceof Error ? cause.message : String(cause)}`;
  const { code, advice } = explain(cause);
  return new QueueError(code, advice === '' ? message : `${message}: ${advice}`, { cause });
}

function explain(cause: unknown): Explanation {
  const known = cause instanceof JetStreamApiError ? explanations.get(cause.code) : undefined;
  if (known !== undefined) {
    return known;
  }
  return isForbidden(cause)
    ? { code: 'permission', advice: 'give the user this permission, see docs/nats-permissions.md' }
    : { code: 'broker', advice: '' };
}

function isForbidden(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return [error, cause].some((each) => each instanceof errors.PermissionViolationError);
}
