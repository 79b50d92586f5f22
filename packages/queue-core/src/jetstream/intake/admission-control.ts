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

/** What stands in the way of one more call. */
export type AdmissionRefusal = 'queue_full' | 'too_many_pending';

/** A call that asks for room. */
export interface RoomRequest {
  readonly function: Pick<FunctionConfig, 'name' | 'queue' | 'maxPending'>;
  /** What it will take in the stream. */
  readonly bytes: number;
}

/** How full something is. */
interface Usage {
  /** What the broker has said. */
  reported: number;
  /** What this process knows to be stored since the broker was asked. */
  added: number;
  /** What this process is about to store: the broker may count it already, or not yet. */
  underWay: number;
}

/** Least time between two looks that callers have asked for: they wait for it together. */
const minRefreshMs = 20;

/**
 * Knows whether queues and functions have room for more calls. The streams have no limits of their own (see ADR 1), so
 * whoever accepts calls keeps those that are set: by asking the broker twice a second, and by counting what it accepts
 * between. Before it says no, and before it says anything for the first time, it asks the broker, so that it goes by what
 * is. What the broker does not tell even then is room.
 */
export class AdmissionControl {
  readonly #options: AdmissionControlOptions;
  readonly #now: () => number;
  readonly #bytes = new Map<string, Usage>();
  readonly #pending = new Map<string, Usage>();
  /** Queues of which the broker has said how large they are, and those whose functions have been counted. */
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

  /** Whether there is a limit that concerns calls of the function. */
  limits(target: RoomRequest['function']): boolean {
    return target.maxPending !== undefined || this.#options.maxBytes(target.queue) !== undefined;
  }

  /** Whether the broker has ever said how full is what the function's calls go into. */
  knows({ queue, maxPending }: RoomRequest['function']): boolean {
    const isSized = this.#sized.has(queue) || this.#options.maxBytes(queue) === undefined;
    return isSized && (maxPending === undefined || this.#counted.has(queue));
  }

  /** Why there is no room for the call, as far as is known at the moment. */
  refusalFor({ function: target, bytes }: RoomRequest): AdmissionRefusal | undefined {
    const maxBytes = this.#options.maxBytes(target.queue);
    if (maxBytes !== undefined && usageOf(this.#bytes.get(target.queue)) + bytes > maxBytes) {
      return 'queue_full';
    }
    const { maxPending } = target;
    const isAtLimit = maxPending !== undefined && usageOf(this.#pending.get(laneKey(target))) >= maxPending;
    return isAtLimit ? 'too_many_pending' : undefined;
  }

  /** a refusal that was there a moment ago as well, when the broker was asked last. */
  confirmedRefusal(request: RoomRequest): AdmissionRefusal | undefined {
    return this.#now() - this.#knownAt < minRefreshMs ? this.refusalFor(request) : undefined;
  }

  /** Asks the broker how full is what the call goes into. Never rejects. */
  async confirm(request: RoomRequest): Promise<void> {
    this.#usage(this.#bytes, request.function.queue); // has it looked at, also if no function of the register is in it
    this.#refreshingSoon ??= this.#refreshSoon().finally(() => {
      this.#refreshingSoon = undefined;
    });
    await this.#refreshingSoon;
  }

  /** Counts a call that is about to be stored; to be told whether it was. */
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

  /** Asks the broker about all that is limited. To be called twice a second. Throws `QueueError`. */
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
    await this.refresh().catch(() => {}); // what is known has to do
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

/** What was stored before the broker was asked is part of what it says. */
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
