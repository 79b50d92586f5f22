import { createHash } from 'node:crypto';
import type { Call } from '@asyncfn/queue-core';
import type { AcceptResult } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import { anyone } from '@asyncfn/tokens';
import type { Span } from '@opentelemetry/api';
import { withoutControls } from '../call-headers/index.ts';
import {
  type AcceptContext,
  type AcceptedCall,
  type CallIntake,
  type CallSpans,
  checkRoom,
  completeCall,
  draftCall,
  StoringShare,
  storeCall,
  toAnswer,
  toQueueRefusal,
} from '../enqueue/index.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { type Refusal, refusal } from '../problem.ts';
import { partners } from './limits/index.ts';
import type { VerifiedDelivery } from './verified-delivery.ts';

export interface DeliveryIntakeOptions extends AcceptContext {
  readonly queue: CallIntake;
  readonly startTime: () => string;
  /** Notes each call that is stored. */
  readonly receipts: { readonly note: (call: Call) => void };
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  /** Undefined if tracing is off. */
  readonly spans?: CallSpans | undefined;
}

/** The rest of the request that a delivery came with. */
export interface DeliveryRequest {
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** Address of the client's end of the connection. */
  readonly peer: string | undefined;
  /** Undefined if tracing is off. */
  readonly span: Span | undefined;
  readonly elapsedMs: () => number;
}

/**
 * Stores verified deliveries as calls. What senders do not sign steers nothing: callbacks and steps come from the
 * settings of the function, and a delivery that comes again is the same call.
 */
export class DeliveryIntake {
  readonly #options: DeliveryIntakeOptions;
  readonly #storing = new StoringShare();

  constructor(options: DeliveryIntakeOptions) {
    this.#options = options;
  }

  /** Throws `QueueError`. */
  async accept(delivery: VerifiedDelivery, request: DeliveryRequest): Promise<AcceptedCall | Refusal> {
    const call = this.#toCall(delivery, request);
    if (call.kind === 'refused') {
      return call;
    }
    if (!this.#storing.begin(partners)) {
      return toQueueRefusal('overloaded');
    }
    try {
      return await this.#store(call.call, delivery, request);
    } finally {
      this.#storing.end(partners);
    }
  }

  #toCall(
    { function: config, target, body }: VerifiedDelivery,
    { rawHeaders, peer }: DeliveryRequest,
  ): { readonly kind: 'call'; readonly call: Call } | Refusal {
    const { queue, startTime } = this.#options;
    const query = target.query === '' ? '' : `?${target.query}`;
    const url = `/async-function/${target.name}${target.path}${query}`;
    const draft = draftCall({ url, rawHeaders: withoutControls(rawHeaders), peer, caller: anyone }, this.#options);
    if (draft.kind === 'refused') {
      return draft;
    }
    const refused = checkRoom(queue, config);
    return refused === undefined ? { kind: 'call', call: completeCall(draft, startTime(), body) } : busy(refused);
  }

  async #store(call: Call, delivery: VerifiedDelivery, request: DeliveryRequest): Promise<AcceptedCall | Refusal> {
    const { metrics, receipts, logger, now } = this.#options;
    metrics.callStarted(call.function);
    const answer = toAnswer(call, await this.#storeOnce(call, delivery, request), now());
    if (answer.kind === 'refused') {
      return busy(answer);
    }
    if (answer.replayed) {
      metrics.callReplayed();
    } else {
      metrics.callSubmitted(call.queue);
      receipts.note(call);
    }
    const fields = {
      callId: answer.callId,
      traceId: request.span?.spanContext().traceId,
      function: call.function,
      queue: call.queue,
      webhook: delivery.webhook.verify,
      bytes: call.body.length,
      durationMs: Math.round(request.elapsedMs()),
    };
    logger.info(fields, answer.replayed ? 'call was already accepted' : 'call accepted');
    return answer;
  }

  /** Another body under a known id is another call: a refusal would make its sender try again for days. */
  async #storeOnce(call: Call, { id }: VerifiedDelivery, { span }: DeliveryRequest): Promise<AcceptResult> {
    const store = (key: string | undefined): Promise<AcceptResult> =>
      storeCall(this.#options, span, call, { unique: false, key });
    if (id === undefined) {
      return await store(undefined);
    }
    const key = keyOf(call, id);
    const result = await store(key);
    if (result.kind !== 'key_reused') {
      return result;
    }
    this.#options.logger.warn(
      { callId: call.id, function: call.function },
      'webhook has the id of an earlier one and another body, and becomes a call of its own',
    );
    return await store(`${key} ${createHash('sha256').update(call.body).digest('hex')}`);
  }
}

/** No client can send such a key, because it has blanks. A partner may send one event to several paths of a function. */
function keyOf({ path, query }: Call, id: string): string {
  return `webhook ${path}?${query} ${id}`;
}

/** Partners know 503 as the answer to what they should send again; some give up at 429. */
function busy(refused: Refusal): Refusal {
  return refused.code === 'too_many_pending'
    ? { ...refusal('queue_full', refused.detail), ...headersOf(refused) }
    : refused;
}

function headersOf({ headers }: Refusal): Pick<Refusal, 'headers'> {
  return headers === undefined ? {} : { headers };
}
