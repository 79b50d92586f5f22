import { setTimeout as delay } from 'node:timers/promises';
import { queueStream } from '../../call/index.ts';
import type { FunctionConfig } from '../../functions/index.ts';
import { asQueueError } from '../connecting/index.ts';
import type { QueueTopology } from '../layout/index.ts';

export interface AdmissionControlOptions {
  readonly topology: Pick<QueueTopology, 'manager' | 'ready' | 'listLanes' | 'listQueues'>;
  /** The functions that are registered. */
  readonly functions: () => readonly FunctionConfig[];
  /** Most bytes that a queue may hold; undefined is no limit. */
  readonly maxBytes: (queue: string) => number | undefined;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** Why one more call is refused. */
export type AdmissionRefusal = 'queue_full' | 'too_many_pending';

/** A call that needs room. */
export interface RoomRequest {
  readonly function: Pick<FunctionConfig, 'name' | 'queue' | 'maxPending'>;
  /** Bytes that it will take in the stream. */
  readonly bytes: number;
}

/** How full something is. */
interface Usage {
  /** As the broker reported it. */
  reported: number;
  /** Bytes that this process has stored since that report. */
  added: number;
  /** Bytes that this process is storing now: the broker may count them already, or not yet. */
  underWay: number;
}

/** Shortest time between two refreshes that callers wait for; they share one. */
const minRefreshMs = 20;

/**
 * Decides whether queues and functions have room for more calls. The streams have no limits of their own (see ADR 1),
 * so each gateway enforces those that are set: it asks the broker twice a second, and counts what it accepts in
 * between. It asks the broker before it refuses a call, and before its first decision. If the broker does not answer,
 * the call is admitted.
 */
export class AdmissionControl {
  readonly #options: AdmissionControlOptions;
  readonly #now: () => number;
  readonly #bytes = new Map<string, Usage>();
  readonly #pending = new Map<string, Usage>();
  /** Queues whose size the broker has reported, and queues whose functions it has counted. */
  readonly #sized = new Set<string>();
  readonly #counted = new Set<string>();
  #refreshing: Promise<void> | undefined;
  #refreshingSoon: Promise<void> | undefined;
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #knownAt = Number.NEGATIVE_INFINITY;

  constructor(options: AdmissionControlOptions) {
    this.#options = options;
    this.#now = options.now ?? performance.now.bind(performance);
  }

  /** Whether any limit applies to calls of the function. */
  limits(target: RoomRequest['function']): boolean {
    return target.maxPending !== undefined || this.#options.maxBytes(target.queue) !== undefined;
  }

  /** Whether the broker has ever reported the usage that the function's limits refer to. */
  knows({ queue, maxPending }: RoomRequest['function']): boolean {
    const isSized = this.#sized.has(queue) || this.#options.maxBytes(queue) === undefined;
    return isSized && (maxPending === undefined || this.#counted.has(queue));
  }

  /** Why the call has no room, as far as this process knows; undefined if it has. */
  refusalFor({ function: target, bytes }: RoomRequest): AdmissionRefusal | undefined {
    const maxBytes = this.#options.maxBytes(target.queue);
    if (maxBytes !== undefined && usageOf(this.#bytes.get(target.queue)) + bytes > maxBytes) {
      return 'queue_full';
    }
    const { maxPending } = target;
    const isAtLimit = maxPending !== undefined && usageOf(this.#pending.get(laneKey(target))) >= maxPending;
    return isAtLimit ? 'too_many_pending' : undefined;
  }

  /** As `refusalFor`, but only while the broker's last report is fresh. */
  confirmedRefusal(request: RoomRequest): AdmissionRefusal | undefined {
    return this.#now() - this.#knownAt < minRefreshMs ? this.refusalFor(request) : undefined;
  }

  /** Asks the broker for the usage that the call counts towards. Never rejects. */
  async confirm(request: RoomRequest): Promise<void> {
    // includes the queue in the refresh even if no registered function uses it
    this.#usage(this.#bytes, request.function.queue);
    this.#refreshingSoon ??= this.#refreshSoon().finally(() => {
      this.#refreshingSoon = undefined;
    });
    await this.#refreshingSoon;
  }

  /** Counts a call that is about to be stored. Call the returned function with whether it was. */
  add({ function: target, bytes }: RoomRequest): (isStored: boolean) => void {
    const usages: [Usage, number][] = [];
    if (this.#options.maxBytes(target.queue) !== undefined) {
      usages.push([this.#usage(this.#bytes, target.queue), bytes]);
    }
    if (target.maxPending !== undefined) {
      usages.push([this.#usage(this.#pending, laneKey(target)), 1]);
    }
    for (const [usage, amount] of usages) {
      usage.underWay += amount;
    }
    return (isStored) => {
      for (const [usage, amount] of usages) {
        usage.underWay -= amount;
        usage.added += isStored ? amount : 0;
      }
    };
  }

  /** Asks the broker for the usage of everything that has a limit. Call it twice a second. Throws `QueueError`. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refreshSoon(): Promise<void> {
    const waitMs = this.#refreshedAt + minRefreshMs - this.#now();
    if (waitMs > 0) {
      await delay(waitMs);
    }
    await this.refresh().catch(() => {}); // continues with what it knows
  }

  async #refresh(): Promise<void> {
    this.#refreshedAt = this.#now();
    const { topology, maxBytes, functions } = this.#options;
    const registered = functions();
    const known = new Set([...registered.map(({ queue }) => queue), ...this.#bytes.keys()]);
    const limited = [...known].filter((queue) => maxBytes(queue) !== undefined);
    const counted = new Set(registered.filter(({ maxPending }) => maxPending !== undefined).map(({ queue }) => queue));
    if (!topology.ready || limited.length + counted.size === 0) {
      return;
    }
    const existing = new Set(await topology.listQueues());
    const looks = await Promise.allSettled([
      ...limited.filter((queue) => existing.has(queue)).map((queue) => this.#refreshBytes(queue)),
      ...[...counted].filter((queue) => existing.has(queue)).map((queue) => this.#refreshLanes(queue)),
    ]);
    const failed = looks.find((look) => look.status === 'rejected');
    if (failed !== undefined) {
      throw failed.reason;
    }
    for (const queue of limited) {
      this.#sized.add(queue);
    }
    for (const queue of counted) {
      this.#counted.add(queue);
    }
    this.#knownAt = this.#now();
  }

  async #refreshBytes(queue: string): Promise<void> {
    const usage = this.#usage(this.#bytes, queue);
    const { added } = usage;
    report(usage, added, await this.#readBytes(queue));
  }

  async #refreshLanes(queue: string): Promise<void> {
    const before = new Map([...this.#pending].map(([key, { added }]) => [key, added]));
    for (const { function: name, pending } of await this.#options.topology.listLanes(queue)) {
      const key = laneKey({ queue, name });
      report(this.#usage(this.#pending, key), before.get(key) ?? 0, pending);
    }
  }

  async #readBytes(queue: string): Promise<number> {
    try {
      return (await this.#options.topology.manager.streams.info(queueStream(queue))).state.bytes;
    } catch (error) {
      throw asQueueError(error, `the size of queue ${queue} cannot be read`);
    }
  }

  #usage(usages: Map<string, Usage>, key: string): Usage {
    const known = usages.get(key) ?? { reported: 0, added: 0, underWay: 0 };
    usages.set(key, known);
    return known;
  }
}

/** The broker's report includes what was stored before it was asked. */
function report(usage: Usage, addedBefore: number, reported: number): void {
  usage.reported = reported;
  usage.added -= addedBefore;
}

function usageOf(usage: Usage | undefined): number {
  return usage === undefined ? 0 : usage.reported + usage.added + usage.underWay;
}

function laneKey({ queue, name }: { readonly queue: string; readonly name: string }): string {
  return `${queue}/${name}`;
}
