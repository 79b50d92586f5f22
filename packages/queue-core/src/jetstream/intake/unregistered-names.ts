import type { FunctionRegister } from '../../functions/index.ts';
import type { QueueTopology } from '../layout/index.ts';

export interface NameLimits {
  /** Names of functions that are not registered and have a consumer, in one queue. */
  readonly inAll: number;
  /** Of these, the names that one submitter's calls have introduced. */
  readonly perSubmitter: number;
}

/** Why a name gets no consumer. */
export type NameRefusal = 'too_many_names' | 'too_many_functions';

export interface UnregisteredNamesOptions {
  readonly topology: Pick<QueueTopology, 'listLanes'>;
  readonly register: Pick<FunctionRegister, 'isRegistered' | 'resolve'>;
  readonly limits: NameLimits;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

interface KnownName {
  /** The submitter that introduced it, if this gateway accepted its call. */
  readonly submitter: string | undefined;
  readonly addedAt: number;
}

interface QueueNames {
  readonly names: Map<string, KnownName>;
  readonly lookedAt: number;
  /** The duration of the listing, in milliseconds. */
  readonly took: number;
}

/**
 * How long a list is reused: this long, or this many times what it cost. A list of 10,000 consumers takes about a
 * second.
 */
const freshMs = 5_000;
const timesCost = 10;

/** How long creating a consumer may take before the list must show it. */
const graceMs = 10_000;

/**
 * Limits the consumers of functions that exist only by `defaults.url`: clients invent as many names as they like, and a
 * queue has room for a limited number of consumers. They cannot share one, since a consumer holds the cap and the pause
 * of its function. The list of consumers shows what other gateways have admitted; only the gateway that admitted a name
 * knows its submitter.
 */
export class UnregisteredNames {
  readonly #options: UnregisteredNamesOptions;
  readonly #now: () => number;
  readonly #known = new Map<string, QueueNames>();
  readonly #looking = new Map<string, Promise<QueueNames>>();

  constructor(options: UnregisteredNamesOptions) {
    this.#options = options;
    this.#now = options.now ?? performance.now.bind(performance);
  }

  /**
   * Why a function that has no consumer, as far as this process knows, may not get one; undefined if it may. Ask before
   * creating each consumer. Throws `QueueError` if the broker does not answer.
   */
  async admit(queue: string, name: string, submitter: string | undefined): Promise<NameRefusal | undefined> {
    const { register, limits } = this.#options;
    if (register.isRegistered(name)) {
      return undefined;
    }
    const { names } = await this.#freshNames(queue);
    if (names.has(name)) {
      return undefined;
    }
    if (submitter !== undefined && countOf(names, submitter) >= limits.perSubmitter) {
      return 'too_many_names';
    }
    if (names.size >= limits.inAll) {
      return 'too_many_functions';
    }
    names.set(name, { submitter, addedAt: this.#now() });
    return undefined;
  }

  #freshNames(queue: string): Promise<QueueNames> | QueueNames {
    const known = this.#known.get(queue);
    if (known !== undefined && this.#now() - known.lookedAt < Math.max(freshMs, timesCost * known.took)) {
      return known;
    }
    const looking = this.#looking.get(queue) ?? this.#look(queue).finally(() => this.#looking.delete(queue));
    this.#looking.set(queue, looking);
    return looking;
  }

  async #look(queue: string): Promise<QueueNames> {
    const { topology, register } = this.#options;
    const startedAt = this.#now();
    const lanes = await topology.listLanes(queue);
    const before = this.#known.get(queue)?.names ?? new Map<string, KnownName>();
    const listed = lanes.map((lane) => lane.function).filter((name) => !register.isRegistered(register.resolve(name)));
    const names = new Map(
      listed.map((name) => [name, before.get(name) ?? { submitter: undefined, addedAt: startedAt }] as const),
    );
    for (const [name, known] of before) {
      if (known.addedAt > startedAt - graceMs && !names.has(name)) {
        names.set(name, known); // admitted, but its consumer is not created yet
      }
    }
    const found = { names, lookedAt: startedAt, took: this.#now() - startedAt };
    this.#known.set(queue, found);
    return found;
  }
}

function countOf(names: ReadonlyMap<string, KnownName>, submitter: string): number {
  let count = 0;
  for (const known of names.values()) {
    count += known.submitter === submitter ? 1 : 0;
  }
  return count;
}
