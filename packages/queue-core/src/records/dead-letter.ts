import { type Static, Type } from 'typebox';
import {
  addressTokens,
  type CallAddress,
  type CallIdentity,
  identityFields,
  identityTokens,
  Labels,
  parseFunctionName,
} from '../call/index.ts';
import { createRecordCodec } from './record-codec.ts';

/** Why a call or a callback is a dead letter. */
export const deadLetterReasons = [
  'retries_exhausted',
  'rejected',
  'non_retryable',
  'expired',
  'response_too_large',
  'bad_response',
  'unknown_function',
  'undecodable',
  'worker_crash',
  'too_large',
  'callback_undeliverable',
] as const;

export type DeadLetterReason = (typeof deadLetterReasons)[number];

/** Metadata of a failed call or callback. The original message is stored with it. */
export const DeadLetter = Type.Object({
  v: Type.Literal(1),
  /** A replay invokes the function of a call again, and sends a callback again. */
  kind: Type.Union([Type.Literal('call'), Type.Literal('callback')]),
  ...identityFields,
  generation: Type.Integer({ minimum: 0 }),
  function: Type.String(),
  queue: Type.String(),
  reason: Type.Enum(deadLetterReasons),
  /** The status of the function, or for a callback of its receiver; absent if neither answered. */
  lastStatus: Type.Optional(Type.Integer()),
  /** Attempts made. */
  attempts: Type.Integer({ minimum: 0 }),
  /** Of the call. */
  labels: Type.Optional(Labels),
  /** When the call was accepted: Unix time in milliseconds. */
  createdAt: Type.Number(),
  /** When the dead letter was stored: Unix time in milliseconds. */
  endedAt: Type.Number(),
  /** Parts that are not kept, because the message would be too large: the body, or the original header as well. */
  omitted: Type.Optional(Type.Union([Type.Literal('body'), Type.Literal('all')])),
});

export type DeadLetter = Static<typeof DeadLetter>;

export const deadLetterCodec = createRecordCodec('Asyncfn-Dead-Letter', DeadLetter);

export interface DeadLetterFilter {
  readonly kind?: DeadLetter['kind'] | undefined;
  readonly queue?: string | undefined;
  /** `NAME` or `NAME.NAMESPACE`. */
  readonly function?: string | undefined;
  readonly call?: CallAddress | undefined;
}

/**
 * `dead.<kind>.<queue>.<namespace>.<name>.<callId>.<submitter>.<startTime>`. A call that fails again after a replay
 * replaces its first dead letter. Expects a queue that has been checked; throws for what could break out of its token.
 */
export function deadLetterSubject(letter: Pick<DeadLetter, 'kind' | 'queue' | 'function'> & CallIdentity): string {
  return `${lanePrefix(letter)}.${identityTokens(letter)}`;
}

/** The subjects of dead letters, with `*` for what is not said. Expects and throws as `deadLetterSubject`. */
export function deadLetterFilter(filter: DeadLetterFilter): string {
  return `${lanePrefix(filter)}.${filter.call === undefined ? '*.*.*' : addressTokens(filter.call)}`;
}

function lanePrefix({ kind, queue, function: functionName }: DeadLetterFilter): string {
  const parsed = functionName === undefined ? undefined : parseFunctionName(functionName);
  if (functionName !== undefined && parsed === undefined) {
    throw new TypeError('a dead letter must have a valid function name');
  }
  const namespace = parsed === undefined ? '*' : (parsed.namespace ?? '~');
  return `dead.${kind ?? '*'}.${queue ?? '*'}.${namespace}.${parsed?.name ?? '*'}`;
}
