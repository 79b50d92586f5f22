import type { Call } from '../call/index.ts';
import type { CallbackState, Outcome } from './outcome.ts';
import type { RunningReport } from './running-call.ts';

/** A call on its way to its end. */
export interface ActiveCall {
  readonly kind: 'active';
  readonly phase: 'scheduled' | 'queued' | 'running' | 'retrying';
  /** As it is stored, without its body. While it runs, what `held` says is newer. */
  readonly call: Call;
  /** When it is put on the queue (again): Unix time in milliseconds; for `scheduled` and `retrying`. */
  readonly dueAt?: number | undefined;
  /** What the worker says that runs it, or has said last. */
  readonly held?: RunningReport | undefined;
  /** It was handed to a worker that does not answer at the moment, and its lease may still run. */
  readonly isSilent?: true;
}

/** A call that has ended. */
export interface EndedCall {
  readonly kind: 'ended';
  readonly outcome: Outcome;
  /** When the broker stored the outcome: Unix time in milliseconds. Absent where there is none. */
  readonly storedAt?: number;
  /** The place of the outcome in its stream. Absent where there is none. */
  readonly sequence?: number;
  /** Undefined where nothing is known of a callback (yet). */
  readonly callback: CallbackState | undefined;
}

/** Where a call stands. */
export type CallState = ActiveCall | EndedCall;
