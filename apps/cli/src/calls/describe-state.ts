import type { CallState } from '@asyncfn/client';
import { formatDuration } from '@asyncfn/units';
import { formatAge, formatUntil } from '../terminal/index.ts';

/** Why a call has ended without success, in a sentence. */
export function describeEnd({ status, reason, attempts, functionStatus, function: name }: CallState): string {
  const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  const answer = functionStatus === undefined ? '' : `, the function answered ${functionStatus}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  return `the call of ${name} has ${status}${why} (${times}${answer})`;
}

const waits: Readonly<Record<NonNullable<CallState['waitingFor']>, string>> = {
  flow: 'the turn of its flow key',
  rate: 'the rate',
};

/** The state of a call as names and values, for people. */
export function stateFacts(state: CallState, nowMs: number): [string, string | number | undefined][] {
  const { callback, durationMs, notBefore, then, labels, waitingFor } = state;
  return [
    ['call', state.callId],
    ['function', state.function],
    ['queue', state.queue],
    ['status', state.status],
    ['waits for', waitingFor && waits[waitingFor]],
    ['reason', state.reason],
    ['answer', state.functionStatus],
    ['attempts', `${state.attempts} (at most ${state.maxRetries} retries)`],
    ['created', at(state.createdAt, nowMs)],
    ['not before', notBefore === undefined ? undefined : `${notBefore} (${formatUntil(notBefore, nowMs)})`],
    ['started', at(state.startedAt, nowMs)],
    ['ended', at(state.endedAt, nowMs)],
    ['duration', durationMs === undefined ? undefined : formatDuration(durationMs)],
    ['callback', callback && `${callback.status} after ${callback.attempts} attempts, ${callback.url}`],
    ['labels', labels?.join(', ')],
    ['flow key', state.flowKey],
    ['then', then?.join(', ')],
    ['next', state.next],
    ['parent', state.parentId],
    ['root', state.rootId],
    ['batch', state.batchId],
  ];
}

function at(time: string | undefined, nowMs: number): string | undefined {
  return time === undefined ? undefined : `${time} (${formatAge(time, nowMs)})`;
}
