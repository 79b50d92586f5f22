import { type BatchItem, type BatchState, itemsOfPart, type PublishResult, retry } from '@asyncfn/queue-core';
import type { BatchStore } from '@asyncfn/queue-core/jetstream';
import { toQueueRefusal } from '../../enqueue/index.ts';
import { type Refusal, RefusalError, refusal } from '../../problem.ts';
import type { BatchItemRequest } from '../items/index.ts';
import type { BatchOrigin, PartIntake } from './part-intake.ts';

export interface BatchAcceptanceOptions {
  readonly parts: Pick<PartIntake, 'store'>;
  readonly batches: Pick<BatchStore, 'putItems' | 'putState'>;
  readonly origin: BatchOrigin;
  /** The state as it is stored, and its sequence. */
  readonly opened: { readonly state: BatchState; readonly sequence: number };
  readonly maxCalls: number;
  /** Monotonic clock in milliseconds. Default: that of the process. */
  readonly monotonicNow?: () => number;
}

/** The state is stored again this often, to show that the gateway is alive. */
const renewMs = 10_000;
/** Items beyond the limit that get an answer of their own; further ones are only counted. */
const maxBeyond = 1_000;
/** Bodies of this size are stored without waiting for a whole part. */
const bytesAtOnce = 1024 * 1024;
/** Waits before a record that could not be stored is retried. */
const waits = [50, 250, 1_000] as const;

/**
 * The acceptance of one batch: its items are stored in parts, and the batch is sealed when the last one is known. Until
 * then no worker can end it.
 */
export class BatchAcceptance {
  readonly items: BatchItem[] = [];
  readonly #options: BatchAcceptanceOptions;
  readonly #now: () => number;
  #waiting: (BatchItemRequest | Refusal)[] = [];
  /** Items that were taken. */
  #taken = 0;
  /** Those that are being stored. */
  #storing: Promise<BatchItem[]> | undefined;
  /** The part that is being stored. */
  #recording: Promise<unknown> = Promise.resolve();
  #waitingBytes = 0;
  #parts = 0;
  #state: BatchState;
  #sequence: number;
  #storedAt: number;
  /** Items that are only counted. */
  #uncounted = 0;

  constructor(options: BatchAcceptanceOptions) {
    this.#options = options;
    this.#now = options.monotonicNow ?? performance.now.bind(performance);
    this.#state = options.opened.state;
    this.#sequence = options.opened.sequence;
    this.#storedAt = this.#now();
  }

  get accepted(): number {
    return countAccepted(this.items);
  }

  get refused(): number {
    return this.items.length - this.accepted + this.#uncounted;
  }

  /** Takes an item. Begins to store those that have come if they are enough; while it does, the next ones may come. */
  async add(item: BatchItemRequest | Refusal): Promise<void> {
    const { maxCalls } = this.#options;
    const index = this.#taken;
    if (index >= maxCalls + maxBeyond) {
      this.#uncounted += 1;
      return;
    }
    const taken = index < maxCalls ? item : tooManyCalls(maxCalls);
    this.#taken += 1;
    this.#waiting.push(taken);
    this.#waitingBytes += taken.kind === 'item' ? taken.body.length : 0;
    if (this.#taken % itemsOfPart === 0 || this.#waitingBytes >= bytesAtOnce) {
      await this.#store();
    }
  }

  /** Begins to store the items that wait, once those before them are stored. */
  async #store(): Promise<void> {
    const waiting = this.#waiting;
    const first = this.#taken - waiting.length;
    this.#waiting = [];
    this.#waitingBytes = 0;
    await this.#append();
    this.#storing = this.#options.parts.store(this.#options.origin, waiting, first);
    this.#storing.catch(() => undefined); // `#append` waits for it, and throws
    if (this.#now() - this.#storedAt > renewMs) {
      await this.#put({ parts: this.#parts });
    }
  }

  /** Waits until the items that are being stored are, and begins to store the part of the batch that they complete. */
  async #append(): Promise<void> {
    this.items.push(...((await this.#storing) ?? []));
    this.#storing = undefined;
    if (this.items.length >= (this.#parts + 1) * itemsOfPart) {
      await this.#recording;
      this.#recordPart();
    }
  }

  #recordPart(): void {
    const part = this.items.slice(this.#parts * itemsOfPart);
    const number = this.#parts;
    if (part.length > 0) {
      this.#parts += 1;
      this.#recording = insist(() => this.#options.batches.putItems(this.#state, number, part));
      this.#recording.catch(() => undefined); // `#append` or `complete` waits for it, and throws
    }
  }

  /** No more items come: stores those that are left. */
  async complete(): Promise<void> {
    if (this.#waiting.length > 0) {
      await this.#store();
    }
    await this.#append();
    await this.#recording;
    this.#recordPart();
    await this.#recording;
  }

  /** Workers may end the batch from now on. */
  async seal(fingerprint: string | undefined): Promise<void> {
    const { accepted: total, refused } = this;
    const known = fingerprint === undefined ? {} : { fingerprint };
    await this.#put({ phase: 'sealed', parts: this.#parts, total, refused, ...known });
  }

  /** Nothing of it was accepted, or it cannot be completed: its key may be used again. */
  async giveUp(): Promise<void> {
    await Promise.allSettled([this.#storing, this.#recording]);
    await this.#put({ phase: 'void' });
  }

  async #put(changes: Partial<BatchState>): Promise<void> {
    const state = { ...this.#state, ...changes };
    const { sequence } = await insist(() => this.#options.batches.putState(state, this.#sequence));
    this.#state = state;
    this.#sequence = sequence;
    this.#storedAt = this.#now();
  }
}

function tooManyCalls(maxCalls: number): Refusal {
  return refusal('too_many_calls', `A batch may have ${maxCalls} calls.`);
}

/** Stores a record that the batch needs to continue. Throws `RefusalError`. */
export async function insist(put: () => Promise<PublishResult>): Promise<{ readonly sequence: number }> {
  return demandStored(await putUntilDecided(put));
}

/** Stores a record, again while the broker has not decided whether it is in conflict with another one. */
export function putUntilDecided(put: () => Promise<PublishResult>): Promise<PublishResult> {
  const until = (result: PublishResult): boolean => result.kind === 'stored' || result.reason !== 'undecided';
  return retry(put, { waits, until });
}

/** Throws `RefusalError` if the record is not stored. */
export function demandStored(result: PublishResult): { readonly sequence: number } {
  if (result.kind === 'refused') {
    const refused = result.reason === 'conflict' ? takenOver : toQueueRefusal(result.reason);
    throw new RefusalError({ ...refused, reason: result.detail });
  }
  return result;
}

/** A second request with its key has waited too long for this one. */
const takenOver = refusal('overloaded', 'Another request with the same Idempotency-Key has taken over the batch.', {
  'Retry-After': '1',
});

/** How many of the items were accepted. */
export function countAccepted(items: readonly BatchItem[]): number {
  return items.filter((item) => !('problem' in item)).length;
}
