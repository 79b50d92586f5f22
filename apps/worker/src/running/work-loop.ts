import type { WorkDelivery } from '@asyncfn/queue-core/jetstream';
import { type Component, sleep } from '@asyncfn/service-kit';
import type { WorkContext } from '../work-context.ts';
import { createLeaseRenewer } from './create-lease-renewer.ts';
import type { LeaseRenewer } from './lease-renewer.ts';

export interface WorkLoopOptions<T, D extends WorkDelivery<T>> {
  readonly name: string;
  /** What it takes, for the log: `stored callback`. */
  readonly what: string;
  readonly source: { fetch(count: number, take: (delivery: D) => void, signal: AbortSignal): Promise<void> };
  /** Lease of a delivery in milliseconds, as its consumer has it. Default: `ACK_WAIT`. */
  readonly leaseMs?: number;
  /** How many more deliveries may be taken now, with so many in flight. */
  readonly room: (inFlight: number) => number;
  /** Processes the task and settles its delivery. If it rejects, the delivery is nak'ed. */
  readonly work: (delivery: D, task: T) => Promise<void>;
}

/** Pause while nothing may be taken. */
const idleMs = 100;
/** Wait after an error. */
const retryDelayMs = 1_000;
/** A delivery that fails again comes back later each time, at most after this. */
const longestDelayMs = 15_000;

/** Takes due work that passes no lane and needs no slot, and keeps the leases of what is in flight. */
export class WorkLoop<T, D extends WorkDelivery<T>> implements Component {
  readonly name: string;
  readonly leases: LeaseRenewer<D>;
  readonly #context: Pick<WorkContext, 'topology' | 'logger'>;
  readonly #options: WorkLoopOptions<T, D>;
  readonly #underWay = new Set<Promise<void>>();

  constructor(context: Pick<WorkContext, 'broker' | 'topology' | 'config' | 'logger'>, options: WorkLoopOptions<T, D>) {
    this.name = options.name;
    this.leases = createLeaseRenewer(context.broker, options.leaseMs ?? context.config.ackWaitMs);
    this.#context = context;
    this.#options = options;
  }

  start(signal: AbortSignal): void {
    void this.#run(signal);
  }

  /** Resolves when nothing is in flight. */
  async whenIdle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { what, source, room } = this.#options;
    const { topology, logger } = this.#context;
    while (!signal.aborted) {
      const count = topology.ready ? room(this.#underWay.size) : 0;
      if (count <= 0) {
        await sleep(idleMs, signal);
        continue;
      }
      try {
        await source.fetch(count, (delivery) => this.#take(delivery), signal);
      } catch (err) {
        logger.warn({ err }, `${what}s cannot be fetched yet`);
        await sleep(retryDelayMs, signal);
      }
    }
  }

  #take(delivery: D): void {
    this.leases.keep(delivery);
    const working = this.#settle(delivery).finally(() => {
      this.leases.release(delivery);
      this.#underWay.delete(working);
    });
    this.#underWay.add(working);
  }

  async #settle(delivery: D): Promise<void> {
    const { what, work } = this.#options;
    const { task, streamSequence, deliveries } = delivery;
    const { logger } = this.#context;
    if (task === undefined) {
      logger.error({ streamSequence }, `${what} cannot be read and is dropped`);
      delivery.ack();
      return;
    }
    try {
      await work(delivery, task);
    } catch (err) {
      logger.warn({ err, streamSequence }, `${what} could not be processed`);
      delivery.nak(Math.min(longestDelayMs, retryDelayMs * deliveries));
    }
  }
}
