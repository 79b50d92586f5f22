import type { CallStore, Flows } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import { type CountedCall, type Settler, undecidedMs } from '../settle/index.ts';

export interface ParkingOptions {
  readonly flows: Pick<Flows, 'park'>;
  readonly store: Pick<CallStore, 'placeOf'>;
  readonly settler: Pick<Settler, 'ack' | 'handBack'>;
  readonly logger: Logger;
}

/**
 * Puts calls with a flow key that were delivered without its turn behind those that wait for it: their delay has passed, or
 * they are replayed. It takes a moment of a slot, and then they wait in their queue.
 */
export class Parking {
  readonly #options: ParkingOptions;

  constructor(options: ParkingOptions) {
    this.#options = options;
  }

  /** Throws `QueueError`. */
  async park(delivered: CountedCall): Promise<undefined> {
    const { flows, settler, logger } = this.#options;
    const { delivery, call } = delivered;
    const result = await flows.park(call, delivery.info.streamSequence);
    if (result.kind === 'stored') {
      settler.ack(delivery);
    } else if (result.reason === 'conflict') {
      await this.#afterConflict(delivered);
    } else {
      const fields = { callId: call.id, function: call.function, queue: call.queue, detail: result.detail };
      logger.warn(fields, 'a call could not be stored with those that wait for their flow key yet');
      await settler.handBack(delivered, undecidedMs);
    }
    return undefined;
  }

  /** It was stored before, or was removed from its queue. */
  async #afterConflict({ delivery }: CountedCall): Promise<void> {
    if ((await this.#options.store.placeOf(delivery)) === 'superseded') {
      delivery.ack();
    } else {
      delivery.nak(undecidedMs); // if it has left its queue, the broker drops it
    }
  }
}
