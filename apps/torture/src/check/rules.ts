import type { EventOf, HistoryEvent, Invocation, Story } from '../history/index.ts';
import { expectedEnd, pausedFunction } from '../plan.ts';
import type { BatchRule } from './batch-rules.ts';
import { type ChainRule, chainRules } from './chain-rules.ts';
import { clockError, firstEnd, heldSpan, isExcused, mayHaveStarted, type RuleContext, wasHeldUp } from './excuses.ts';
import type { FlowRule } from './flow-rules.ts';
import type { RateRule } from './rate-rules.ts';

/** The rules for every call, whatever faults happen. Reports use their names. */
export type Rule =
  | ChainRule
  | BatchRule
  | RateRule
  | FlowRule
  | 'nothing accepted is lost'
  | 'what is there is not missed'
  | 'one end'
  | 'the end is the right one'
  | 'a refused call is not run'
  | 'a good request is not turned away'
  | 'a key is one call'
  | 'an id is one call'
  | 'a call is seen by its own tenant alone'
  | 'cancelled is cancelled'
  | 'not before its time'
  | 'not after it has expired'
  | 'within the budget'
  | 'attempts in their order'
  | 'once without a crash'
  | 'one attempt at a time'
  | 'nothing after the end'
  | 'handed over at once'
  | 'the caller is told'
  | 'the caller is told the truth';

/** Returns what is wrong, in words, or undefined. */
type Check = (story: Story, context: RuleContext) => string | undefined;

/** Whether the call is known to have been stored. */
export function wasStored({ acceptance, invocations, ends }: Story): boolean {
  return acceptance === 'accepted' || invocations.length > 0 || ends.length > 0;
}

export const rules: Readonly<Record<Exclude<Rule, BatchRule | RateRule | FlowRule>, Check>> = {
  ...chainRules,

  'nothing accepted is lost': (story) =>
    wasStored(story) && story.ends.length === 0 ? 'it was stored, and has no end' : undefined,

  'what is there is not missed': ({ misses }) =>
    misses.length === 0 ? undefined : "the workers' own audit says that it is neither queued nor ended",

  'one end': ({ ends }) => (ends.length > 1 ? `it has ${ends.length} ends on record` : undefined),

  'the end is the right one': ({ sent, ends, events }) => {
    const [end] = ends;
    const expected = expectedEnd(sent.plan);
    // Five workers died with this call, so it was set aside: that is promised too, whatever its plan was.
    if (end === undefined || end.reason === 'worker_crash') {
      return undefined;
    }
    if (end.status === 'cancelled' || end.status === 'expired') {
      const isMeant = end.status === 'cancelled' ? events.some(isCancelling) : sent.plan.expiresInMs > 0;
      return isMeant ? undefined : `it ended as ${end.status}, but no caller asked for that`;
    }
    return end.status === expected.status && end.attempts === expected.attempts
      ? undefined
      : `it ended as ${end.status} after ${end.attempts}, not as ${expected.status} after ${expected.attempts}`;
  },

  'a refused call is not run': (story) =>
    story.acceptance === 'refused' && story.invocations.length > 0 ? 'it was refused, and invoked' : undefined,

  'a good request is not turned away': ({ events, namesakes }) => {
    const mayConflict = namesakes.some(({ acceptance }) => acceptance !== 'refused');
    const refusal = events.find(
      (event) =>
        event.kind === 'answered' &&
        event.status >= 400 &&
        event.status < 500 &&
        !(mayConflict && event.code === 'call_id_conflict'),
    );
    return refusal?.kind === 'answered' ? `it was answered ${refusal.status} ${refusal.code}` : undefined;
  },

  'a key is one call': ({ callIds }) =>
    callIds.size > 1 ? `it was sent with one key, and became ${callIds.size} calls` : undefined,

  'an id is one call': (story, { limits }) => {
    const twin = story.namesakes.find(
      (other) => wasStored(other) && !isForgotten(story, other, limits) && !isForgotten(other, story, limits),
    );
    return wasStored(story) && twin !== undefined ? `its id was accepted for request ${twin.request} too` : undefined;
  },

  'a call is seen by its own tenant alone': ({ sent, request, events, callbacks }) => {
    const looks = events.filter((event) => event.kind === 'looked');
    const seen = looks.find(({ by, status }) => by !== sent.plan.tenant && status !== 404 && status < 500);
    if (seen !== undefined) {
      return `${seen.by} asked for its ${seen.what} and was answered ${seen.status}`;
    }
    const foreign = [...looks, ...callbacks].find(({ about }) => about !== undefined && about !== request);
    return foreign && `its tenant was given the result of request ${foreign.about}`;
  },

  'cancelled is cancelled': ({ events, ends, invocations }, context) => {
    const answer = events.find((event) => event.kind === 'cancelled');
    if (answer?.status === 404) {
      return 'a caller cancels an accepted call and is told that it is unknown';
    }
    if (answer?.status !== 202) {
      return undefined;
    }
    const late = invocations.find(
      (each) => each.from > answer.at + context.limits.lateMs && !wasHeldUp(each, answer.at, context),
    );
    return ends[0]?.status !== 'cancelled'
      ? 'its cancel was confirmed, and it ended otherwise'
      : late && `it was invoked ${Math.round(late.from - answer.at)} ms after its cancel was confirmed`;
  },

  'not before its time': ({ sent, invocations: [first] }, context) => {
    if (first === undefined) {
      return undefined;
    }
    const earlyMs = sent.at + sent.plan.notBeforeMs - first.from;
    // The times come from two processes, and one of them counts whole milliseconds.
    return earlyMs > 5 + clockError(sent.at, first.from, context)
      ? `it was invoked ${Math.round(earlyMs)} ms too early`
      : undefined;
  },

  'not after it has expired': ({ sent, events, invocations: [first] }, context) => {
    const answer = events.find((event) => event.kind === 'answered' && event.status === 202);
    if (sent.plan.expiresInMs === 0 || answer === undefined || first === undefined) {
      return undefined;
    }
    const expiredAt = answer.at + sent.plan.expiresInMs;
    const lateMs = first.from - expiredAt;
    return lateMs > context.limits.slackMs + clockError(sent.at, first.from, context) &&
      !mayHaveStarted(answer.at, expiredAt, context)
      ? `it was started ${Math.round(lateMs)} ms after it had expired`
      : undefined;
  },

  'within the budget': ({ sent, invocations }) => {
    const beyond = invocations.find(({ retry }) => retry > sent.plan.maxRetries);
    return beyond === undefined ? undefined : `retry ${beyond.retry} of at most ${sent.plan.maxRetries}`;
  },

  'attempts in their order': ({ invocations }) => {
    const early = invocations.find(({ retry, from }) => retry > 0 && !hasReturnedBefore(invocations, retry - 1, from));
    return early === undefined ? undefined : `retry ${early.retry} began before attempt ${early.retry} had returned`;
  },

  'once without a crash': (story, context) => {
    const twice = pairs(story.invocations).find(
      ([a, b]) => a.retry === b.retry && !isExcused(a, b, heldSpan(story, a, context), context),
    );
    return twice === undefined ? undefined : `attempt ${twice[0].retry + 1} was made twice, and nothing was broken`;
  },

  'one attempt at a time': (story, context) => {
    const { invocations } = story;
    const mayBeBeside = (first: Invocation, second: Invocation): boolean =>
      isExcused(first, second, heldSpan(story, first, context), context);
    // An attempt that is made again may run beside what followed the first one.
    const isAgain = (each: Invocation): boolean =>
      invocations.some((first) => first.retry === each.retry && first.from < each.from && mayBeBeside(first, each));
    const both = pairs(invocations).find(([a, b]) => b.from < a.to && !mayBeBeside(a, b) && !isAgain(a));
    return both === undefined ? undefined : 'two attempts ran at once, and nothing was broken';
  },

  'nothing after the end': ({ ends, events, invocations }, context) => {
    // A cancel holds once it is confirmed. Until then the worker that runs the call may not know of it.
    const cancelledAt = events.find((event) => event.kind === 'cancelled' && event.status === 202)?.at ?? 0;
    const endedAt = Math.max(cancelledAt, firstEnd(ends));
    const late = invocations.find(
      (each) => each.from > endedAt + context.limits.slackMs && !wasHeldUp(each, endedAt, context),
    );
    return late === undefined ? undefined : `it was invoked ${Math.round(late.from - endedAt)} ms after its end`;
  },

  'handed over at once': ({ sent, invocations, ends }, context) => {
    if (ends[0]?.status === 'cancelled' || sent.plan.function === pausedFunction) {
      return undefined; // given up for that reason, or to be run again if an operator wants it
    }
    const late = invocations.find((cut, index) => isLateHandover(cut, invocations[index + 1], context));
    return late === undefined ? undefined : 'a stopping worker gave it up, and it was not run again in time';
  },

  'the caller is told': ({ sent, ends, callbacks }) => {
    const isOwed = sent.plan.callback !== 'none' && ends.length > 0 && ends[0]?.status !== 'cancelled';
    return isOwed && !callbacks.some(({ status }) => status >= 200 && status < 300)
      ? 'no callback was delivered'
      : undefined;
  },

  'the caller is told the truth': ({ callIds, ends, callbacks }) => {
    const [end] = ends;
    const wrong = callbacks.find(
      ({ webhookId, functionStatus, retry, content }) =>
        !callIds.has(webhookId) ||
        content !== callbacks[0]?.content ||
        (end !== undefined && functionStatus !== toldStatus(end)) ||
        (end !== undefined && end.attempts > 0 && retry !== end.attempts - 1),
    );
    return wrong === undefined ? undefined : 'a callback tells another story than the record, or than the one before';
  },
};

/** Whether the end of a call may have been forgotten by the time at which another call was accepted. */
function isForgotten({ ends }: Story, { events }: Story, { endsKeptMs }: RuleContext['limits']): boolean {
  const shown = events.find((event) => event.kind === 'invoked' || (event.kind === 'answered' && event.status === 202));
  return firstEnd(ends) + endsKeptMs < (shown?.at ?? Number.POSITIVE_INFINITY);
}

function isCancelling({ kind }: HistoryEvent): boolean {
  return kind === 'cancelling';
}

/** The content of a callback if the function sent no response. */
function toldStatus({ status, functionStatus }: EventOf<'ended'>): number {
  return functionStatus ?? (status === 'expired' ? 504 : 503);
}

function hasReturnedBefore(invocations: readonly Invocation[], retry: number, at: number): boolean {
  return invocations.some((each) => each.retry === retry && each.to <= at);
}

/** An attempt that a stop cut short, if no other fault explains why the next one is late. */
function isLateHandover(cut: Invocation, next: Invocation | undefined, { faults, limits }: RuleContext): boolean {
  if (cut.status !== undefined || cut.to === Number.POSITIVE_INFINITY) {
    return false;
  }
  const due = cut.to + limits.handoverMs;
  const around = faults.filter(({ from, to }) => from <= due && to + limits.slackMs >= cut.from);
  const isStopAlone = around.length > 0 && around.every(({ name }) => name === 'stop worker');
  return isStopAlone && (next === undefined || next.from > due);
}

/** Any two, the earlier one first. */
function pairs<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((a, index) => items.slice(index + 1).map((b): [T, T] => [a, b]));
}
