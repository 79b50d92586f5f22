import type { CallWatches, ChainCanceller } from '@asyncfn/queue-core/jetstream';
import type { CallLookup } from '../auth/index.ts';
import type { AcceptContext } from '../enqueue/index.ts';
import type { ResultDependencies } from '../results/index.ts';
import type { Waiters } from '../waiting/index.ts';

export interface CallOptions extends Pick<AcceptContext, 'lookup' | 'names'>, ResultDependencies {
  readonly calls: CallLookup;
  readonly watches: Pick<CallWatches, 'open'>;
  readonly waiters: Pick<Waiters, 'admit'>;
  /** Whether calls can be found, and it is known what functions are called. */
  readonly places: { readonly available: boolean };
  readonly canceller: Pick<ChainCanceller, 'cancel'>;
  /** Aborts when the gateway stops: clients that wait are answered then. */
  readonly stopping: AbortSignal;
  /** How long results are kept, in milliseconds; 0 is not at all. */
  readonly resultTtlMs: number;
}
