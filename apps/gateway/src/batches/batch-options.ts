import type { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import type { BatchStore } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { GatewayMetrics } from '../metrics.ts';
import type { BatchPlaces } from './batch-places.ts';
import type { PartIntakeOptions } from './intake/index.ts';

interface BatchLimits {
  /** Most calls of a batch. */
  readonly maxCalls: number;
  /** Most bytes of its request. */
  readonly maxBytes: number;
  /** Most bytes of a JSON document, which is read whole. */
  readonly maxDocumentBytes: number;
}

export interface BatchOptions extends Omit<PartIntakeOptions, 'onStored'> {
  readonly batches: Pick<BatchStore, 'putState' | 'findState' | 'putItems' | 'readItems' | 'putKey' | 'findKey'>;
  readonly callbackPolicy: Pick<CallbackPolicy, 'objectTo'>;
  readonly startTime: () => string;
  readonly limits: BatchLimits;
  /** How long a key is remembered, in milliseconds. */
  readonly idempotencyWindowMs: number;
  readonly onStored: PartIntakeOptions['onStored'];
  /** Of the batches that are being accepted. */
  readonly places: Pick<BatchPlaces, 'take'>;
  readonly metrics: Pick<GatewayMetrics, 'batchAccepted' | 'callRefused'>;
  readonly logger: Logger;
}
