import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { QueueError, type QueueErrorCode } from '../../errors.ts';

interface Explanation {
  readonly code: QueueErrorCode;
  /** What to set right, and where. */
  readonly advice: string;
}

const streamLimit = 'the account at NATS may have no more streams: asyncfn needs ten, and one for each queue';

/** JetStream's `err_code`s that need a person, and what that person has to know (nats-server, errors.json). */
const explanations: ReadonlyMap<number, Explanation> = new Map([
  [10002, { code: 'account_limit', advice: 'raise the limits of the account at NATS' }],
  [10026, { code: 'consumer_limit', advice: 'each function needs a consumer: raise max_consumers of the account' }],
  [10027, { code: 'account_limit', advice: streamLimit }],
  [
    10074,
    { code: 'replicas', advice: 'STREAM_REPLICAS above 1 needs a cluster of nats-servers, and this one is alone' },
  ],
  [10113, { code: 'account_limit', advice: 'set STREAM_MAX_BYTES' }],
  [
    10120,
    { code: 'account_limit', advice: 'the account at NATS has no limits for streams of so many STREAM_REPLICAS' },
  ],
  [10122, { code: 'account_limit', advice: 'lower STREAM_MAX_BYTES' }],
  // More servers may be about to join.
  [10005, { code: 'broker', advice: 'STREAM_REPLICAS asks for more copies than there are servers at the moment' }],
]);

/**
 * An error of NATS or JetStream as one of ours. Its own words say what is wrong; what only a person can mend is told
 * with the setting that does it.
 * @param what was to be done, in vain
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
