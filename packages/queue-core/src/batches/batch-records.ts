import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { callIdPattern, identityFields } from '../call/index.ts';
import { createRecordCodec } from '../records/index.ts';

const { submitter, startTime } = identityFields;
const batchId = Type.String({ pattern: callIdPattern.source });
const count = Type.Integer({ minimum: 0 });

/**
 * The progress of a batch's acceptance. `accepting`: only its gateway knows how many calls it will have. `sealed`: it
 * has `total` calls, and its client may learn of it. `void`: nothing was accepted, and its key may be used again.
 */
export const BatchState = Type.Object({
  v: Type.Literal(1),
  batchId,
  submitter,
  phase: Type.Union([Type.Literal('accepting'), Type.Literal('sealed'), Type.Literal('void')]),
  /** It has ended and its end was reported: no worker has to check it again. */
  ended: Type.Optional(Type.Literal(true)),
  /** `X-Start-Time` of all its calls: with the submitter, it finds them at the broker. */
  startTime,
  /** Unix time in milliseconds. */
  createdAt: Type.Number(),
  /** Parts of its items that are stored. */
  parts: count,
  /** Accepted calls. */
  total: count,
  /** A request with the same key has taken it over: calls may have been stored whose items were refused. */
  resumed: Type.Optional(Type.Literal(true)),
  /** Items that were refused. */
  refused: count,
  callbackUrl: Type.Optional(Type.String()),
  /** Gets the callback in its place if a call has not succeeded. */
  failureCallbackUrl: Type.Optional(Type.String()),
  /** The caller's headers for its receiver: `X-Callback-Forward-*`. */
  callbackHeaders: Type.Optional(Type.Array(Type.Tuple([Type.String(), Type.String()]))),
  /** Hops from the first call of the chain that the batch belongs to; absent for none. */
  chainDepth: Type.Optional(count),
  /** No other secret than those of its token may sign its callback. */
  ownSecret: Type.Optional(Type.Boolean()),
  /** Hash of the whole request: see `Idempotency-Key`. Known once it is sealed. */
  fingerprint: Type.Optional(Type.String()),
  /** With a key, its records are kept at least until then: Unix time in milliseconds. */
  keptUntil: Type.Optional(Type.Number()),
});

export type BatchState = Static<typeof BatchState>;

export const batchStateCodec = createRecordCodec('Asyncfn-Batch', BatchState);

/** How many calls of a batch have ended, by how they have. */
export const BatchCounts = Type.Object({ succeeded: count, failed: count, cancelled: count, expired: count });

export type BatchCounts = Static<typeof BatchCounts>;

/** The end of a batch, stored once. */
export const BatchEnd = Type.Object({
  v: Type.Literal(1),
  batchId,
  submitter,
  ...BatchCounts.properties,
  /** Unix time in milliseconds. */
  endedAt: Type.Number(),
});

export type BatchEnd = Static<typeof BatchEnd>;

export const batchEndCodec = createRecordCodec('Asyncfn-Batch-End', BatchEnd);

/** The batch that came with an `Idempotency-Key`. */
const BatchKeyRecord = Type.Object({ v: Type.Literal(1), batchId });

export const batchKeyCodec = createRecordCodec('Asyncfn-Batch-Key', BatchKeyRecord);

/** The result of one item: a call, or a problem (RFC 9457). */
export const BatchItem = Type.Union([
  Type.Object({
    callId: Type.String({ pattern: callIdPattern.source }),
    function: Type.String(),
    queue: Type.String(),
    scheduled: Type.Optional(Type.Literal(true)),
  }),
  Type.Object({ problem: Type.Record(Type.String(), Type.Unknown()) }),
]);

export type BatchItem = Static<typeof BatchItem>;

/** Items of a part: enough to store them rarely, and few enough for a message. */
export const itemsOfPart = 256;

const items = Compile(Type.Array(BatchItem, { maxItems: itemsOfPart }));

/** Items travel as a body: a problem may have any text in it. */
export function encodeItems(part: readonly BatchItem[]): Uint8Array {
  return Buffer.from(JSON.stringify(part));
}

/** Undefined for anything that is not a part. */
export function decodeItems(body: Uint8Array): BatchItem[] | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(body).toString());
    return items.Check(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** A key as one token of a subject (P7, P9). No key of a call has this hash. */
export function hashBatchKey(key: string): string {
  return createHash('sha256').update(`batch\0${key}`).digest('hex');
}

export function endedOf({ succeeded, failed, cancelled, expired }: BatchCounts): number {
  return succeeded + failed + cancelled + expired;
}
