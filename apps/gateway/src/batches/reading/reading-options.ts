import type { FunctionNames } from '@asyncfn/queue-core/functions';
import type { BatchStore, CallStore, CallWatches, ChainCanceller } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { CallLookup } from '../../auth/index.ts';
import type { BodyBudget } from '../../http/index.ts';
import type { Waiters } from '../../waiting/index.ts';

/** What the gateway needs to show a batch, and to cancel it. */
export interface ReadingOptions {
  readonly batches: Pick<BatchStore, 'findState' | 'findAnyState' | 'findEnd' | 'countEnds' | 'listEnds' | 'readItems'>;
  readonly calls: Pick<CallLookup, 'find'>;
  readonly results: Pick<CallStore, 'readResult'>;
  /** The budget for results that are being sent. */
  readonly resultBudget: Pick<BodyBudget, 'open'>;
  readonly canceller: Pick<ChainCanceller, 'cancel'>;
  readonly watches: Pick<CallWatches, 'openBatch'>;
  readonly waiters: Pick<Waiters, 'admit'>;
  readonly names: Pick<FunctionNames, 'namesOf'>;
  /** Aborts when the gateway stops: clients that wait are answered then. */
  readonly stopping: AbortSignal;
  readonly logger: Logger;
}
