import type { FunctionRegister } from '@asyncfn/queue-core/functions';
import type { Delivery, LaneId, QueueTopology } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';

export interface PauseGuardOptions {
  readonly register: Pick<FunctionRegister, 'lookup'>;
  readonly topology: Pick<QueueTopology, 'ensureFunction' | 'forgetLane'>;
  readonly logger: Logger;
  /** Returns a call to its queue without counting an attempt. */
  readonly handBack: (delivery: Delivery) => Promise<void>;
}

/**
 * Keeps calls of paused functions from running even if a consumer delivers them: one that was created a moment before
 * the pause was known, or that was resumed at the broker.
 */
export class PauseGuard {
  readonly #options: PauseGuardOptions;
  readonly #enforcing = new Map<string, Promise<void>>();

  constructor(options: PauseGuardOptions) {
    this.#options = options;
  }

  /** Pauses the consumer that the call has come from, and hands the call back. Never rejects. */
  async hold(delivery: Delivery): Promise<void> {
    const { queue, function: name } = delivery;
    const key = `${queue}/${name}`;
    const enforced = this.#enforcing.get(key) ?? this.#enforce({ queue, function: name });
    this.#enforcing.set(key, enforced);
    try {
      await enforced;
      await this.#options.handBack(delivery);
    } catch (err) {
      this.#options.logger.warn({ err, queue, function: name }, 'a call of a paused function waits for its lease');
    } finally {
      this.#enforcing.delete(key);
    }
  }

  async #enforce({ queue, function: name }: LaneId): Promise<void> {
    const { register, topology, logger } = this.#options;
    const config = register.lookup(name);
    topology.forgetLane(queue, name);
    try {
      await (config && topology.ensureFunction({ ...config, name, queue }));
    } catch (err) {
      logger.warn({ err, queue, function: name }, 'consumer of a paused function could not be paused yet');
    }
  }
}
