import type { Logger } from '@asyncfn/service-kit';
import { LRUCache } from 'lru-cache';
import { FairSlots, ResponsivenessTracker } from '../fairness/index.ts';
import { type DnsQueryOptions, type NameAnswer, NameLookupError, queryAddresses } from './dns-query.ts';
import { toLookupName } from './hosts-file.ts';
import { SystemNames } from './system-names.ts';

export interface NameResolverOptions {
  /** `address` or `address:port` of each DNS server. None: those of this machine. */
  readonly servers: readonly string[];
  readonly logger: Logger;
  /** Ends all lookups. */
  readonly signal: AbortSignal;
  /** The names that this machine knows. Default: those in its files. */
  readonly system?: SystemNames | undefined;
  /** For the answer to one lookup, in milliseconds. Default 5,000. */
  readonly deadlineMs?: number | undefined;
}

/** The caller on whose behalf a name is looked up, and how long the lookup may wait. */
export interface Asker {
  /** Undefined if callers have no names. */
  readonly submitter: string | undefined;
  readonly waitMs: number;
}

/** Lookups under way at once. Each holds a socket. */
const maxLookups = 200;
const maxPerSubmitter = maxLookups / 2;
/** How many names are remembered. */
const maxNames = 1_000;
const shortestTtlMs = 1_000;
const longestTtlMs = 5 * 60_000;
/** How long a failed lookup is remembered. */
const failureMs = 5_000;

/** Error code for a name that must wait for others. */
export const namesBusy = 'names_busy';

/**
 * Resolves host names that callers choose. Node's own lookup has four threads for all names, and a name that a server
 * never answers blocks a thread for half a minute: functions would wait for the names of callbacks. Here each lookup
 * has a deadline, their number is bounded, and each submitter has a share of it. Answers are cached for as long as they
 * are valid.
 *
 * Like the C library, it uses the hosts file, then DNS with the search list of `resolv.conf`.
 */
export class NameResolver {
  readonly #options: NameResolverOptions;
  readonly #system: SystemNames;
  readonly #slots = new FairSlots(maxLookups);
  readonly #tracker = new ResponsivenessTracker({ max: maxNames });
  readonly #known = new LRUCache<string, NameAnswer | NameLookupError>({ max: maxNames });
  readonly #underWay = new Map<string, Promise<NameAnswer>>();

  constructor(options: NameResolverOptions) {
    this.#options = options;
    this.#system = options.system ?? new SystemNames(options);
  }

  /**
   * Returns the addresses of a host name, in the order in which to try them.
   * @throws NameLookupError with the code `names_busy` if too many of this submitter's names are being looked up
   */
  async resolve(name: string, asker: Asker): Promise<readonly string[]> {
    const own = this.#system.addressesOf(name);
    if (own !== undefined) {
      return own;
    }
    const key = name.toLowerCase();
    const { addresses } = await (this.#find(key) ?? this.#ask(key, asker));
    return addresses;
  }

  /** The cached answer for the name, or the pending one. */
  #find(name: string): Promise<NameAnswer> | undefined {
    const known = this.#known.get(name);
    if (known instanceof NameLookupError) {
      return Promise.reject(known);
    }
    return known === undefined ? this.#underWay.get(name) : Promise.resolve(known);
  }

  async #ask(name: string, { submitter, waitMs }: Asker): Promise<NameAnswer> {
    const responsiveness = this.#tracker.of(name) ?? 'unknown';
    const shares = submitter === undefined ? [] : [{ key: submitter, max: maxPerSubmitter, responsiveness }];
    const release = await this.#slots.take({ responsiveness, shares }, waitMs, this.#options.signal);
    if (release === undefined) {
      throw new NameLookupError(namesBusy, 'too many host names are being looked up for this caller');
    }
    try {
      return await (this.#find(name) ?? this.#share(name));
    } finally {
      release();
    }
  }

  /** One lookup for all requests for the name in the meantime. */
  async #share(name: string): Promise<NameAnswer> {
    const lookup = this.#lookUp(name);
    this.#underWay.set(name, lookup);
    try {
      return await lookup;
    } finally {
      this.#underWay.delete(name);
    }
  }

  async #lookUp(name: string): Promise<NameAnswer> {
    const { servers, signal, deadlineMs = 5_000 } = this.#options;
    const query: DnsQueryOptions = { servers, signal, deadlineMs };
    const ended = this.#tracker.begin(toLookupName(name));
    let answered = false;
    try {
      const answer = await queryAddresses(this.#system.fullNames(name), query);
      answered = true;
      this.#known.set(name, answer, { ttl: Math.min(Math.max(answer.ttlMs, shortestTtlMs), longestTtlMs) });
      return answer;
    } catch (error) {
      const failure = error instanceof NameLookupError ? error : new NameLookupError('EUNKNOWN', String(error));
      this.#known.set(name, failure, { ttl: failureMs });
      throw failure;
    } finally {
      ended(answered);
    }
  }
}
