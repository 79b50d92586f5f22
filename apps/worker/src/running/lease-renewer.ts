import { type Delivery, initialAckWaitMs } from '@asyncfn/queue-core/jetstream';
import { RotatingMap } from './rotating-map.ts';

/** What has a lease: a call, or a stored callback. */
export interface Leased {
  /** Renews it. */
  inProgress(): void;
}

/**
 * Renews the leases of the calls in hand, so that a call may run for days while the calls of a dead worker are free
 * again within `ACK_WAIT`. One timer for all: a call that was there at the last tick and still is, is renewed, so no
 * lease gets older than two ticks, and a short call costs nothing.
 */
export class LeaseRenewer<D extends Leased = Delivery> {
  readonly #young = new RotatingMap<D, D>();
  readonly #old = new Set<D>();
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param ackWaitMs length of a lease in milliseconds */
  constructor(ackWaitMs: number) {
    // Not every consumer has our lease: a gateway makes those of new functions with the initial one.
    this.#intervalMs = Math.min(ackWaitMs, initialAckWaitMs) / 3;
  }

  /** From now on the delivery's lease is kept. */
  keep(delivery: D): void {
    this.#young.set(delivery, delivery);
    this.#timer ??= setInterval(() => this.#tick(), this.#intervalMs).unref();
  }

  /** The delivery is settled or given back. */
  release(delivery: D): void {
    this.#young.delete(delivery);
    this.#old.delete(delivery);
  }

  /** Deliveries in hand. */
  deliveries(): D[] {
    return [...this.#old, ...this.#young.values()];
  }

  /** Renews all at once, for example after an outage in which no renewal got through. */
  renew(): void {
    for (const delivery of this.deliveries()) {
      delivery.inProgress();
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    for (const delivery of this.#old) {
      delivery.inProgress();
    }
    for (const delivery of this.#young.values()) {
      this.#old.add(delivery);
    }
    this.#young.clear();
  }
}
