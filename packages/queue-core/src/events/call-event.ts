import { type Static, Type } from 'typebox';
import { AttemptRecord, withoutHistory } from '../attempts/index.ts';
import { type Call, CallEnvelope, emptyBody, identityOf, identityTokens } from '../call/index.ts';
import { CallbackState, type CallState, Outcome } from '../records/index.ts';
import { redirectOf } from '../settle/index.ts';

const Active = Type.Object({
  phase: Type.Union([
    Type.Literal('scheduled'),
    Type.Literal('queued'),
    Type.Literal('running'),
    Type.Literal('retrying'),
  ]),
  /** Without what is not part of its state. */
  call: CallEnvelope,
  dueAt: Type.Optional(Type.Number()),
  held: Type.Optional(
    Type.Object({
      retry: Type.Integer({ minimum: 0 }),
      maxRetries: Type.Integer({ minimum: 0 }),
      startedAt: Type.Number(),
    }),
  ),
});

const Ended = Type.Object({ outcome: Outcome, callback: Type.Optional(CallbackState) });

/** One thing that has happened to a call, with the call's state after it: that of a living or of an ended call. */
export const CallEvent = Type.Object({
  kind: Type.Union([
    Type.Literal('accepted'),
    Type.Literal('started'),
    Type.Literal('attempt'),
    Type.Literal('ended'),
    Type.Literal('callback'),
  ]),
  active: Type.Optional(Active),
  ended: Type.Optional(Ended),
  /** The attempt that has begun or ended. */
  attempt: Type.Optional(AttemptRecord),
});

export type CallEvent = Static<typeof CallEvent>;

/** A call with an attempt behind it, or begun. */
export interface StartedCall extends Call {
  readonly startedAt: number;
}

/** The call is stored: accepted, replayed, or handed on in a chain. */
export function toAcceptedEvent(call: Call): CallEvent {
  const { notBefore } = call;
  const phase = notBefore === undefined ? 'queued' : 'scheduled';
  return {
    kind: 'accepted',
    active: { phase, call: bareCall(call), ...(notBefore !== undefined && { dueAt: notBefore }) },
  };
}

/** An attempt begins. */
export function toStartedEvent(call: StartedCall, maxRetries: number, attempt: AttemptRecord): CallEvent {
  return { kind: 'started', active: runningPart(call, maxRetries), attempt };
}

/** An attempt has ended. `attempt.retryAt` says that another one follows. */
export function toAttemptEvent(call: StartedCall, maxRetries: number, attempt: AttemptRecord): CallEvent {
  const { retryAt: dueAt } = attempt;
  if (dueAt === undefined) {
    return { kind: 'attempt', active: runningPart(call, maxRetries), attempt };
  }
  const next = { ...call, retry: call.retry + 1, maxRetries };
  return { kind: 'attempt', active: { phase: 'retrying', call: bareCall(next), dueAt }, attempt };
}

export function toEndedEvent(outcome: Outcome): CallEvent {
  return { kind: 'ended', ended: { outcome: bareOutcome(outcome) } };
}

/** A delivery of the callback has been tried. */
export function toCallbackEvent(outcome: Outcome, callback: CallbackState): CallEvent {
  return { kind: 'callback', ended: { outcome: bareOutcome(outcome), callback } };
}

/** The state of the call; undefined for an event without one. */
export function stateOfEvent({ active, ended }: CallEvent): CallState | undefined {
  if (ended !== undefined) {
    return { kind: 'ended', outcome: ended.outcome, callback: ended.callback };
  }
  if (active === undefined) {
    return undefined;
  }
  const { v: _, ...call } = active.call;
  const { held, phase, dueAt } = active;
  const { generation = 0 } = call;
  return {
    kind: 'active',
    phase,
    call: { ...call, body: emptyBody },
    dueAt,
    ...(held !== undefined && { held: { v: 1, standing: 'running', generation, ...held } }),
  };
}

/** The name of the function, as the call has it. */
export function functionOfEvent({ active, ended }: CallEvent): string {
  return active?.call.function ?? ended?.outcome.function ?? '';
}

/** Which call it is about, whatever its replay generation. */
export function callOfEvent({ active, ended }: CallEvent): string {
  return active === undefined
    ? ended === undefined
      ? ''
      : identityTokens(ended.outcome)
    : identityTokens(identityOf(active.call));
}

const generationStep = 1_000_000_000;
const afterAllAttempts = generationStep / 2;

/** The place of an event in the life of its call. */
export function rankOfEvent({ kind, active, ended, attempt }: CallEvent): number {
  const generation = active?.call.generation ?? ended?.outcome.generation ?? 0;
  return generation * generationStep + rankInGeneration(kind, attempt?.attempt ?? 0, ended?.callback?.attempts ?? 0);
}

function rankInGeneration(kind: CallEvent['kind'], attempt: number, tries: number): number {
  switch (kind) {
    case 'accepted':
      return 0;
    case 'started':
      return 2 * attempt;
    case 'attempt':
      return 2 * attempt + 1;
    case 'ended':
      return afterAllAttempts;
    case 'callback':
      return afterAllAttempts + 1 + tries;
  }
}

function runningPart(call: StartedCall, maxRetries: number) {
  const { retry, startedAt } = call;
  return { phase: 'running' as const, call: bareCall(call), held: { retry, maxRetries, startedAt } };
}

/** Without all that is no part of a call's state (P9). */
function bareCall(call: Call): Static<typeof CallEnvelope> {
  const { body: _, callbackHeaders: __, failureCallbackUrl: ___, history: ____, ...kept } = call;
  return { ...kept, v: 1, path: '', query: '', headers: [] };
}

/** As `bareCall`: where a redirect leads is part of the state. */
function bareOutcome(outcome: Outcome): Outcome {
  const location = redirectOf(outcome.functionStatus, outcome.headers)?.location;
  return { ...withoutHistory(outcome), headers: location === undefined ? [] : [['location', location]] };
}
