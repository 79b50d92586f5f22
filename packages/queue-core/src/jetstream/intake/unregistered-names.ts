import type { FunctionRegister } from '../../functions/index.ts';
import type { QueueTopology } from '../layout/index.ts';

export interface NameLimits {
  /** Names of functions that are not registered and have a consumer, in one queue. */
  readonly inAll: number;
  /** Of these, those that the calls of one submitter have brought. */
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
  /** Who has brought it, if that was here. */
  readonly submitter: string | undefined;
  readonly addedAt: number;
}

interface QueueNames {
  readonly names: Map<string, KnownName>;
  readonly lookedAt: number;
  /** What the look has cost, in milliseconds. */
  readonly took: number;
}

/** A look serves for so long, or for so many times what it has cost: one at 10,000 consumers takes about a second. */
const freshMs = 5_000;
const timesCost = 10;

/** How long a consumer may be under way to the broker before a look has to show it. */
const graceMs = 10_000;

/**
 * Keeps the consumers of functions that exist by `defaults.url` alone within limits: clients invent as many names as they
 * like, and a queue has room for so many consumers. They cannot share one, since a consumer holds the cap and the pause of
 * its function. What other gateways have let in is learned by looking; who brought a name is known where it came in alone.
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
   * Whether a function may get a consumer that has none as far as this process knows; undefined if it may. To be asked before
   * each is made. Throws `QueueError` when the broker cannot be asked.
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
        names.set(name, known); // let in, and not there yet
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
