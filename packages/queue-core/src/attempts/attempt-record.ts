import { type Static, Type } from 'typebox';

/** The decision about an attempt. */
export type AttemptVerdict =
  | 'succeeded'
  | 'retry'
  | 'failed'
  | 'cancelled'
  /** Its worker died, or was cut off, before it told a result. */
  | 'lost'
  | 'running';

/**
 * One attempt of a call. It rides in the messages that are stored anyway: the retry, the outcome, the dead letter. No
 * field is so strict that the record of a later version could make its call undecodable.
 */
export const AttemptRecord = Type.Object({
  /** Retries made before it, plus one. An attempt that repeats a lost one has the same number. */
  attempt: Type.Integer({ minimum: 1 }),
  /** Unix time in milliseconds. */
  startedAt: Type.Number(),
  durationMs: Type.Optional(Type.Number()),
  /** The function's own status; absent if it gave no usable answer. */
  status: Type.Optional(Type.Integer()),
  /** Why it gave none. */
  error: Type.Optional(Type.String()),
  /** See `AttemptVerdict`. */
  verdict: Type.String(),
  /** When the next attempt is due: Unix time in milliseconds. */
  retryAt: Type.Optional(Type.Number()),
  /** Absent for an attempt that is known only by its missing end. */
  worker: Type.Optional(Type.String()),
});

export type AttemptRecord = Static<typeof AttemptRecord>;

/** Most attempts that are kept of a call: the first ones and the newest. A call may have a thousand. */
export const historyBounds = { first: 4, newest: 16 } as const;

/** The attempts of a call with one more. If they are too many, one in the middle is left out. */
export function withAttempt(history: readonly AttemptRecord[] | undefined, latest: AttemptRecord): AttemptRecord[] {
  if (history === undefined) {
    return [latest];
  }
  const { first, newest } = historyBounds;
  const kept = history.length < first + newest ? history : [...history.slice(0, first), ...history.slice(1 - newest)];
  return [...kept, latest];
}

/** The same attempts, the last of which has ended its call like this. */
export function decided(history: AttemptRecord[], verdict: AttemptVerdict): AttemptRecord[] {
  const last = history.at(-1);
  if (last === undefined || last.verdict === verdict) {
    return history;
  }
  const { retryAt: _, ...rest } = last;
  return [...history.slice(0, -1), { ...rest, verdict }];
}

/** Attempts are the first to be left out of a record that is too large to be stored. */
export function withoutHistory<T extends { readonly history?: unknown }>(record: T): Omit<T, 'history'> {
  const { history: _, ...rest } = record;
  return rest;
}
