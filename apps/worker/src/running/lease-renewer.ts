import { type Delivery, initialAckWaitMs } from '@asyncfn/queue-core/jetstream';
import { RotatingMap } from '../rotating-map.ts';

/** A delivery with a lease: of a call, a stored callback or an expiry timer. */
export interface Leased {
  /** Renews it. */
  inProgress(): void;
}

/**
 * Renews the leases of deliveries in flight, so that a call may run for days while the calls of a dead worker are free
 * again within `ACK_WAIT`. One timer serves all: it renews each delivery that was there at its last tick, so no lease
 * gets older than two ticks, and a short call costs nothing.
 */
export class LeaseRenewer<D extends Leased = Delivery> {
  readonly #young = new RotatingMap<D, D>();
  readonly #old = new Set<D>();
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param ackWaitMs length of a lease in milliseconds */
  constructor(ackWaitMs: number) {
    // Not every consumer has our lease: a gateway creates those of new functions with the initial one.
    this.#intervalMs = Math.min(ackWaitMs, initialAckWaitMs) / 3;
  }

  /** Renews the delivery's lease from now on. */
  keep(delivery: D): void {
    this.#young.set(delivery, delivery);
    this.#timer ??= setInterval(() => this.#tick(), this.#intervalMs).unref();
  }

  /** The delivery is settled: its lease is no longer renewed. */
  release(delivery: D): void {
    this.#young.delete(delivery);
    this.#old.delete(delivery);
  }

  /** Deliveries in flight. */
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
