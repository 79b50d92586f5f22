import type { StoredMsg } from '@nats-io/jetstream';
import {
  addressOf,
  type Call,
  callHeader,
  callPattern,
  callSubject,
  emptyBody,
  encodeEnvelope,
  flowEntrySubject,
  flowNoticeSubject,
  flowStateSubject,
  identityOf,
} from '../../call/index.ts';
import {
  type FlowLimits,
  type FlowPlace,
  type FlowState,
  flowNoticeCodec,
  flowPlaceOf,
  flowStateCodec,
} from '../../flows/index.ts';
import { expectLast, MessageHeaders, setSchedule } from '../messages/index.ts';
import type { Outgoing } from '../publish/index.ts';

/** Place of the readiness in the subject of a call. */
const readinessToken = 2;

/** A call as it waits in its queue. */
export interface WaitingCall {
  readonly call: Call;
  readonly message: StoredMsg;
  /** Its place in the order of its key. */
  readonly entry: StoredMsg;
}

/** A call that gets its turn. */
export interface TimedTurn extends WaitingCall {
  /** When the rate of its key allows it to begin: Unix time in milliseconds; undefined for at once. */
  readonly dueAt: number | undefined;
}

/** A call that waits, its place in the order of its key, and the notice that turns have to be given. */
export function toFlowGroup(call: Call, message: Outgoing): readonly Outgoing[] {
  const place = flowPlaceOf(call);
  if (place === undefined) {
    return [message];
  }
  const subject = flowEntrySubject(place.queue, place.id, identityOf(call));
  const entry = { subject, headers: new MessageHeaders(), body: emptyBody };
  return [message, entry, toNotice(place, namedBy(call))];
}

/** A call that was delivered without its turn, stored with those that wait: only while nothing newer of it is stored. */
export function toParked(call: Call, delivered: number): Outgoing {
  const identity = identityOf(call);
  const headers = new MessageHeaders();
  headers.set(callHeader, encodeEnvelope(call));
  expectLast(headers, anyOf(call), delivered);
  const subject = callSubject({ queue: call.queue, readiness: 'wait', function: call.function, ...identity });
  return { subject, headers, body: call.body };
}

/** The limits that a call has named. */
export function namedBy({ flow }: Pick<Call, 'flow'>): FlowLimits {
  const { parallelism, rate } = flow ?? {};
  return { ...(parallelism !== undefined && { parallelism }), ...(rate !== undefined && { rate }) };
}

/**
 * The ready copy of a call that gets its turn, or its schedule for when it is due: only while it waits, and nothing newer of it is
 * stored.
 */
export function toTurn({ call, message, dueAt }: TimedTurn): Outgoing {
  const headers = new MessageHeaders();
  headers.set(callHeader, encodeEnvelope(withTurn(call)));
  expectLast(headers, anyOf(call), message.seq);
  const { queue, function: name } = call;
  const place = { queue, function: name, ...identityOf(call) };
  const ready = callSubject({ ...place, readiness: 'ready' });
  if (dueAt === undefined) {
    return { subject: ready, headers, body: call.body };
  }
  setSchedule(headers, ready, dueAt);
  return { subject: callSubject({ ...place, readiness: 'later' }), headers, body: call.body };
}

/**
 * The ready copy of a call that gets its turn as it is accepted, without having waited: only while the state of its key is the one that
 * says so.
 * @param under sequence of that state
 * @param isAlone whether that state says no more than that, and what the call has named
 */
export function toImmediateTurn(place: FlowPlace, call: Call, under: number, isAlone: boolean): Outgoing {
  const headers = new MessageHeaders();
  headers.set(callHeader, encodeEnvelope(withTurn(call, isAlone ? under : undefined)));
  expectLast(headers, flowStateSubject(place.queue, place.id), under);
  const subject = callSubject({ queue: call.queue, readiness: 'ready', function: call.function, ...identityOf(call) });
  return { subject, headers, body: call.body };
}

/** A message that cannot be read as a call becomes ready as it is: a worker makes a dead letter of it. */
export function toUnreadableTurn({ subject, seq, header, data }: StoredMsg): Outgoing {
  const headers = new MessageHeaders();
  headers.set(callHeader, header.get(callHeader));
  const tokens = subject.split('.');
  expectLast(headers, tokens.with(readinessToken, '*').join('.'), seq);
  return { subject: tokens.with(readinessToken, 'ready').join('.'), headers, body: data };
}

/**
 * The new state of a key, in place of the one before.
 * @param after sequence of the one before, 0 for none: any other is a conflict
 * @param ttlMs when the broker removes it, if no other replaces it; undefined for never
 */
export function toStateMessage({ queue, id }: FlowPlace, state: FlowState, after: number, ttlMs?: number): Outgoing {
  const subject = flowStateSubject(queue, id);
  const headers = new MessageHeaders();
  headers.set(flowStateCodec.header, flowStateCodec.encode(state));
  headers.set('Nats-Rollup', 'sub');
  if (ttlMs !== undefined) {
    headers.set('Nats-TTL', `${Math.ceil(ttlMs / 1000)}s`);
  }
  expectLast(headers, subject, after);
  return { subject, headers, body: emptyBody };
}

/** Whether the broker removes a state after a time. */
export function doesExpire({ header }: StoredMsg): boolean {
  return header.get('Nats-TTL') !== '';
}

function toNotice({ queue, id, function: name, submitter, key }: FlowPlace, named: FlowLimits): Outgoing {
  const headers = new MessageHeaders();
  const of = { function: name, ...(submitter !== undefined && { submitter }), key };
  const notice = { v: 1 as const, ...of, ...named };
  headers.set(flowNoticeCodec.header, flowNoticeCodec.encode(notice));
  return { subject: flowNoticeSubject(queue, id), headers, body: emptyBody };
}

function withTurn(call: Call, aloneAt?: number): Call {
  const turn = { hasTurn: true as const, ...(aloneAt !== undefined && { aloneAt }) };
  const flow = call.flow && { ...call.flow, ...turn };
  return { ...call, ...(flow && { flow }) };
}

function anyOf(call: Call): string {
  const { queue, function: name } = call;
  return callPattern({ queue, readiness: '*', function: name, call: addressOf(identityOf(call)) });
}
