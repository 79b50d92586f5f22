import type { Call } from '../calls/index.ts';
import { describeReason, formatDuration, formatMany } from '../format/index.ts';
import type { Attempt, KnownCall } from './read-call.ts';

type MomentTone = 'good' | 'warn' | 'bad' | 'accent' | 'plain';

/** Something that has happened to a call, happens, or will. */
export interface Moment {
  readonly key: string;
  readonly title: string;
  readonly tone: MomentTone;
  /** When it happened, or is due; undefined if that is not known. */
  readonly at?: string;
  /** Status of an answer, or the error instead. */
  readonly answer?: string;
  readonly detail?: string;
  /** Time between the moment before and this one, in milliseconds. */
  readonly waitedMs?: number;
  /** Whether `at` is still to come. */
  readonly due?: boolean;
  /** Another call of the same token. */
  readonly callId?: string;
}

export function toTimeline({ call, attempts, letter }: KnownCall): Moment[] {
  const made = attempts.flatMap((attempt, at) => toMoments(attempt, attempts[at - 1]));
  if (call === undefined) {
    return letter === undefined ? made : [accepted(letter), ...made, deadLetter(letter)];
  }
  return [
    accepted(call),
    ...replayed(call),
    ...withFirstWait(made, call, attempts[0]),
    ...current(call, attempts),
    ...end(call),
    ...after(call),
  ];
}

function accepted({ createdAt, queue }: Pick<Call, 'createdAt' | 'queue'>): Moment {
  return { key: 'accepted', title: 'Accepted', tone: 'plain', at: createdAt, detail: `into queue ${queue}` };
}

function replayed({ replays = 0 }: Call): Moment[] {
  const title = replays === 1 ? 'Replayed' : `Replayed ${formatMany(replays, 'time')}`;
  const detail = 'from the dead letters, with fresh retries; the attempts are those of the last replay';
  return replays === 0 ? [] : [{ key: 'replayed', title, tone: 'accent', detail }];
}

/** After a replay it is not known how long the call has waited. */
function withFirstWait(moments: readonly Moment[], call: Call, first: Attempt | undefined): readonly Moment[] {
  const [head, ...rest] = moments;
  if (head === undefined || first === undefined || (call.replays ?? 0) > 0) {
    return moments;
  }
  return [{ ...head, waitedMs: Date.parse(first.startedAt) - Date.parse(call.createdAt) }, ...rest];
}

function toMoments(attempt: Attempt, before: Attempt | undefined): Moment[] {
  const missing = before === undefined ? 0 : attempt.attempt - before.attempt - 1;
  const gap: Moment[] =
    missing <= 0
      ? []
      : [{ key: `gap-${attempt.attempt}`, title: `${formatMany(missing, 'attempt')} not kept`, tone: 'plain' }];
  return [...gap, toMoment(attempt, missing > 0 ? undefined : before)];
}

const verdicts: Readonly<Record<string, readonly [MomentTone, string]>> = {
  succeeded: ['good', 'succeeded'],
  failed: ['bad', 'failed for good'],
  retry: ['warn', 'failed, to be tried again'],
  cancelled: ['plain', 'was cut off, because the call was cancelled'],
  lost: ['bad', 'was lost: its worker died or was cut off before it reported a result'],
  running: ['accent', 'is running'],
};

function toMoment(attempt: Attempt, before: Attempt | undefined): Moment {
  const { attempt: number, startedAt, verdict, durationMs, worker } = attempt;
  const [tone, words] = verdicts[verdict] ?? ['plain', verdict];
  const answer = attempt.status === undefined ? attempt.error : String(attempt.status);
  const facts = [words, durationMs !== undefined && `took ${formatDuration(durationMs)}`, `worker ${worker}`];
  return {
    key: `attempt-${number}-${startedAt}`,
    title: `Attempt ${number}`,
    tone,
    at: startedAt,
    detail: facts.filter(Boolean).join(' · '),
    ...(answer !== undefined && { answer }),
    ...(before?.durationMs !== undefined && {
      waitedMs: Date.parse(startedAt) - Date.parse(before.startedAt) - before.durationMs,
    }),
  };
}

/** What a queued call waits for. */
const waits: Readonly<Record<'worker' | NonNullable<Call['waitingFor']>, string>> = {
  worker: 'Waits for a worker',
  flow: 'Waits for the turn of its flow key',
  rate: 'Waits for the rate',
};

/** What an open call waits for. */
function current(call: Call, attempts: readonly Attempt[]): Moment[] {
  const { status, notBefore, startedAt, waitingFor } = call;
  const due = notBefore === undefined ? {} : { at: notBefore, due: true };
  switch (status) {
    case 'scheduled':
      return [{ key: 'now', title: 'Waits for its time', tone: 'accent', ...due }];
    case 'queued':
      return [{ key: 'now', title: waits[waitingFor ?? 'worker'], tone: 'accent' }];
    case 'retrying':
      return [{ key: 'now', title: `Attempt ${call.attempts + 1} is due`, tone: 'accent', ...due }];
    case 'running': {
      const isListed = attempts.some(({ verdict }) => verdict === 'running');
      const at = startedAt === undefined ? {} : { at: startedAt };
      return isListed ? [] : [{ key: 'now', title: 'Is with a worker', tone: 'accent', ...at }];
    }
    case 'succeeded':
    case 'failed':
    case 'cancelled':
    case 'expired':
      return [];
  }
}

const ends: Readonly<Partial<Record<Call['status'], readonly [MomentTone, string]>>> = {
  succeeded: ['good', 'Succeeded'],
  failed: ['bad', 'Failed'],
  cancelled: ['plain', 'Cancelled'],
  expired: ['bad', 'Expired'],
};

function end({ status, endedAt, reason }: Call): Moment[] {
  const words = ends[status];
  if (words === undefined) {
    return [];
  }
  const [tone, title] = words;
  const detail = reason === undefined ? {} : { detail: describeReason(reason) };
  return [{ key: 'end', title, tone, ...(endedAt !== undefined && { at: endedAt }), ...detail }];
}

/** The next step of its chain, and its callback. */
function after({ next, callback, endedAt }: Call): Moment[] {
  const step: Moment[] =
    next === undefined ? [] : [{ key: 'next', title: 'The next step was started', tone: 'good', callId: next }];
  if (callback === undefined) {
    return step;
  }
  const tries = callback.attempts === 0 ? '' : ` · ${formatMany(callback.attempts, 'try', 'tries')}`;
  const detail = `to ${callback.url}${tries}`;
  switch (callback.status) {
    case 'delivered':
      return [...step, { key: 'callback', title: 'Callback delivered', tone: 'good', detail }];
    case 'failed':
      return [...step, { key: 'callback', title: 'Callback given up', tone: 'bad', detail }];
    case 'pending': {
      const title = endedAt === undefined ? 'A callback follows' : 'Callback not delivered yet';
      return [...step, { key: 'callback', title, tone: endedAt === undefined ? 'plain' : 'warn', detail }];
    }
  }
}

function deadLetter({ endedAt, reason }: NonNullable<KnownCall['letter']>): Moment {
  return { key: 'end', title: 'Failed', tone: 'bad', at: endedAt, detail: describeReason(reason) };
}
