import { randomUUID } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { AttemptRecord } from '../attempts/index.ts';
import { callIdPattern, startTimePattern, submitterPattern } from './call-identity.ts';
import { ChainStep } from './chain-step.ts';

/** The body of a message that has none. */
export const emptyBody = new Uint8Array();

/** The place of a call in a batch. */
export const BatchPlace = Type.Object({
  id: Type.String({ pattern: callIdPattern.source }),
  /** Counts the items of the batch as they were sent, from 0. */
  index: Type.Integer({ minimum: 0 }),
});

/** A moment of a schedule: Unix time in milliseconds, of a year that has four digits. */
export const MomentTime = Type.Integer({ minimum: 0, maximum: Date.parse('9999-12-31T23:59:59Z') });

/** What a call has of the schedule that has made it. */
const ScheduleMoment = Type.Object({
  name: Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$' }),
  at: MomentTime,
});

/** Maximum number of labels of a call. */
export const maxLabels = 10;
export const maxLabelLength = 64;

const labelPattern = /^[A-Za-z0-9._=:-]{1,64}$/;

/** Labels in a record, by which callers find their calls; checked by the gateway; absent if there are none. */
export const Labels = Type.Array(Type.String({ pattern: labelPattern.source }), { minItems: 1 });

/** Names of stored bodies: 18 random bytes in base64url. */
export const bodyIdPattern = /^[A-Za-z0-9_-]{24}$/;

/** A body that is stored apart from its call, because it is large: see `jetstream/bodies/`. */
export const BodyObject = Type.Object({
  id: Type.String({ pattern: bodyIdPattern.source }),
  /** In bytes. */
  length: Type.Integer({ minimum: 0 }),
  /** SHA-256 of the whole body, base64url without padding. */
  sha256: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
});

export type BodyObject = Static<typeof BodyObject>;

/** Most calls of one flow key that a caller or the settings of a function may let run at once. */
export const maxParallelism = 1_000;

/** The flow key of a call, and what its caller says of it. */
export const CallFlow = Type.Object({
  /** `X-Flow-Key`: it belongs to the function and the submitter. */
  key: Type.String({ pattern: '^[!-~]{1,128}$' }),
  /** Most calls of the key at once, if the settings of the function do not say it. */
  parallelism: Type.Optional(Type.Integer({ minimum: 1, maximum: maxParallelism })),
  /** Most calls of the key in any window of a length, likewise: see `parseRate`. */
  rate: Type.Optional(Type.String()),
  /** It has got its turn: it is ready, runs, or waits for its retry. */
  hasTurn: Type.Optional(Type.Literal(true)),
  /**
   * Sequence of the state of its key that names it alone, and has nothing else to keep. While that is the state, its turn ends
   * without reading it (see docs/adr/0071).
   */
  aloneAt: Type.Optional(Type.Integer({ minimum: 1 })),
});

/**
 * A call without its body. It travels as one JSON header of the message, because setting NATS headers one by one costs
 * several times more, and because nothing a client sends may become a NATS header (P7).
 */
export const CallEnvelope = Type.Object({
  /**
   * Version of this layout. Readers ignore fields that they do not know, so that versions can run side by side. 2: the
   * body is in `bodyObject`, which a reader must know: otherwise the function would get an empty one.
   */
  v: Type.Union([Type.Literal(1), Type.Literal(2)]),
  id: Type.String({ pattern: callIdPattern.source }),
  /** `NAME` or `NAME.NAMESPACE`. */
  function: Type.String(),
  queue: Type.String(),
  /** Sub-path after the function's name, byte for byte (latin1): empty or with a leading slash. */
  path: Type.String(),
  /** Query string, byte for byte, without the question mark. */
  query: Type.String(),
  /** The caller's end-to-end headers in order, names and values as received (latin1). */
  headers: Type.Array(Type.Tuple([Type.String(), Type.String()])),
  callbackUrl: Type.Optional(Type.String()),
  /** Receives the callback of a call that does not succeed, instead of `callbackUrl`. */
  failureCallbackUrl: Type.Optional(Type.String()),
  /** Headers of the caller for the receivers of callbacks. Functions do not get them, and nothing logs them (P9). */
  callbackHeaders: Type.Optional(Type.Array(Type.Tuple([Type.String(), Type.String()]))),
  /** `X-Label`: labels by which the caller finds the call. */
  labels: Type.Optional(Labels),
  /** Name of the token that the call was submitted with; absent if the gateway requires none. */
  submitter: Type.Optional(Type.String({ pattern: submitterPattern.source })),
  /** That token has secrets of its own for callbacks, and no other secret may sign the callback of this call. */
  ownSecret: Type.Optional(Type.Boolean()),
  /** The parent: its callback, or a request of its function, has made this call. */
  parentId: Type.Optional(Type.String({ pattern: callIdPattern.source })),
  /** The first call of its chain; absent for that call itself, and for a call without a chain. */
  rootId: Type.Optional(Type.String({ pattern: callIdPattern.source })),
  /** The steps that follow when it succeeds; absent for none. */
  steps: Type.Optional(Type.Array(ChainStep, { minItems: 1 })),
  /** Absent for a call without a batch, and for the steps that follow a call of one. */
  batch: Type.Optional(BatchPlace),
  /** Absent for a call without a flow key. */
  flow: Type.Optional(CallFlow),
  /** The schedule that has made the call, and for which moment; absent for none, and for the steps that follow. */
  schedule: Type.Optional(ScheduleMoment),
  /** Hops from the first call of its chain; absent for none. */
  chainDepth: Type.Optional(Type.Integer({ minimum: 0 })),
  /** When the call was accepted: Unix time in nanoseconds, decimal. OpenFaaS's `X-Start-Time`. */
  startTime: Type.String({ pattern: startTimePattern.source }),
  /** Retries made before this attempt: 0 on the first try. */
  retry: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER - 1 }),
  /** The caller's own limit of retries; overrides the function's. */
  maxRetries: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
  /** The caller's own deadline of one attempt, in milliseconds; at most the function's. */
  timeoutMs: Type.Optional(Type.Integer({ minimum: 1 })),
  /** Not invoked earlier: Unix time in milliseconds. */
  notBefore: Type.Optional(Type.Number()),
  /** If it has not been started by then, it ends as expired: Unix time in milliseconds. */
  expiresAt: Type.Optional(Type.Number()),
  /** The replay generation; absent for 0. Each generation has an outcome of its own. */
  generation: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER - 1 })),
  /** Start of the first attempt: Unix time in milliseconds; absent before it. */
  startedAt: Type.Optional(Type.Number()),
  /** The attempts before this one, of this generation; absent for none. */
  history: Type.Optional(Type.Array(AttemptRecord)),
  /** The body, if it is stored apart. */
  bodyObject: Type.Optional(BodyObject),
});

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** One asynchronous call of a function. */
export interface Call extends Readonly<Omit<Static<typeof CallEnvelope>, 'v' | 'headers' | 'callbackHeaders'>> {
  readonly headers: HeaderList;
  readonly callbackHeaders?: HeaderList;
  /** The caller's body, byte for byte. Empty if `bodyObject` has it. */
  readonly body: Uint8Array;
}

/** Length of the caller's body in bytes, wherever it is. */
export function bodyLengthOf(call: {
  readonly body: Uint8Array;
  readonly bodyObject?: Pick<BodyObject, 'length'>;
}): number {
  return call.bodyObject?.length ?? call.body.length;
}

/** Whether `text` can be a label: `[A-Za-z0-9._=:-]{1,64}`. */
export function isLabel(text: string): boolean {
  return labelPattern.test(text);
}

/** Whether an attempt began before this message was stored: then the call may have ended. */
export function hasStarted({ retry, startedAt }: Pick<Call, 'retry' | 'startedAt'>): boolean {
  return retry > 0 || startedAt !== undefined;
}

/** Whether the call has a flow key, and must not run before it has got its turn. */
export function needsTurn(call: Pick<Call, 'flow' | 'retry' | 'startedAt'>): boolean {
  return call.flow !== undefined && call.flow.hasTurn !== true && !hasStarted(call);
}

/** What a call that is stored for later waits for: its own time, that of a retry, or that at which its key's rate allows it. */
export function phaseUntilDue(call: Pick<Call, 'retry' | 'startedAt' | 'flow'>): 'retrying' | 'scheduled' | 'queued' {
  const first = call.flow?.hasTurn === true ? 'queued' : 'scheduled';
  return hasStarted(call) ? 'retrying' : first;
}

let lastMs = 0;
let idsOfMs = 0;
/** The prefix of all ids of a millisecond. */
let idStart = '';
const maxIdsOfMs = 0x1000;

/**
 * A new call id: a UUIDv7 (RFC 9562), so that ids sort by the time of acceptance, those of one process within a
 * millisecond too (6.2, method 1). Node keeps random UUIDs in store: taking the random half of one costs a tenth of
 * drawing bytes.
 */
export function createCallId(): string {
  const now = Date.now();
  idsOfMs = now > lastMs ? 0 : idsOfMs + 1;
  lastMs = Math.max(lastMs, now);
  if (idsOfMs === maxIdsOfMs) {
    lastMs += 1;
    idsOfMs = 0;
  }
  if (idsOfMs === 0) {
    const time = lastMs.toString(16).padStart(12, '0');
    idStart = `${time.slice(0, 8)}-${time.slice(8)}-7`;
  }
  const counter = idsOfMs.toString(16).padStart(3, '0');
  return `${idStart}${counter}-${randomUUID().slice(19)}`;
}
