import type { CallIdentity } from '@asyncfn/queue-core';
import type { BodyStore, CallStore, EventPublisher, ExpiryStore, Flows } from '@asyncfn/queue-core/jetstream';
import type { RetryPolicy } from '@asyncfn/queue-core/settle';
import type { Tracer } from '@opentelemetry/api';
import type { HttpAgent } from '../http/index.ts';
import type { Budgets } from '../memory/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import type { ReplyStore } from '../replies/index.ts';
import type { LeaseRenewer, RunningCalls } from '../running/index.ts';
import type { ProgressCheckOptions, Settler } from '../settle/index.ts';
import type { OnSettleStep } from '../storing/index.ts';
import type { AttemptNotes } from './attempt-notes.ts';

export interface CallRunnerOptions extends ProgressCheckOptions {
  /** Largest body of a response, in bytes. */
  readonly maxResponseBytes: number;
  readonly functions: HttpAgent;
  readonly settler: Settler;
  readonly store: CallStore;
  readonly bodies: Pick<BodyStore, 'read'>;
  /** Stores large responses. */
  readonly replies: ReplyStore;
  readonly expiries: Pick<ExpiryStore, 'claim' | 'revise'>;
  readonly flows: Pick<Flows, 'park'>;
  readonly leases: LeaseRenewer;
  readonly running: RunningCalls;
  readonly metrics: WorkerMetrics;
  /** Undefined if tracing is off. */
  readonly tracer?: Tracer | undefined;
  readonly userAgent: string;
  readonly budgets: Pick<Budgets, 'bodies' | 'results'>;
  /** For functions that set none. */
  readonly retryDefaults: RetryPolicy;
  readonly notes: AttemptNotes;
  readonly events: Pick<EventPublisher, 'started' | 'attempted'>;
  readonly onStep: OnSettleStep;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  /** Aborts when the worker stops: calls that have not begun go back to the queue. */
  readonly stopping: AbortSignal;
  /** Called for each attempt that begins, and for each retry that is stored. */
  readonly onCallChange: (call: CallIdentity) => void;
}
