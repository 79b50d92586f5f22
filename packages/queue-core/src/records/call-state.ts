import type { Call } from '../call/index.ts';
import type { CallbackState, Outcome } from './outcome.ts';
import type { RunningReport } from './running-call.ts';

/** A call on its way to its end. */
export interface ActiveCall {
  readonly kind: 'active';
  readonly phase: 'scheduled' | 'queued' | 'running' | 'retrying';
  /** What a queued call waits for besides a worker: the turn of its flow key, or the rate of its function. */
  readonly waitingFor?: 'flow' | 'rate';
  /** As it is stored, without its body. While it runs, `held` is newer. */
  readonly call: Call;
  /** When it is put on the queue (again): Unix time in milliseconds; for `scheduled` and `retrying`. */
  readonly dueAt?: number | undefined;
  /** The last report of the worker that runs it. */
  readonly held?: RunningReport | undefined;
  /** It was delivered to a worker that does not answer at the moment, and its lease may still run. */
  readonly isSilent?: true;
}

/** A call that has ended. */
export interface EndedCall {
  readonly kind: 'ended';
  readonly outcome: Outcome;
  /** When the broker stored the outcome: Unix time in milliseconds. Absent if none is stored. */
  readonly storedAt?: number;
  /** The sequence of the outcome in its stream. Absent if none is stored. */
  readonly sequence?: number;
  /** Undefined if no callback state is recorded (yet). */
  readonly callback: CallbackState | undefined;
}

/** The state of a call. */
export type CallState = ActiveCall | EndedCall;
