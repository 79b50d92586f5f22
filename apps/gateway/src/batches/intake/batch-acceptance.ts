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
/** Waits before a record that could not be stored is tried again. */
const waits = [50, 250, 1_000] as const;

/**
 * The acceptance of one batch: its items are stored in parts, and the batch is sealed when the last one is known. Until then
 * no worker can end it.
 */
export class BatchAcceptance {
  readonly items: BatchItem[] = [];
  readonly #options: BatchAcceptanceOptions;
  readonly #now: () => number;
  #waiting: (BatchItemRequest | Refusal)[] = [];
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
    return this.items.filter((item) => !('problem' in item)).length;
  }

  get refused(): number {
    return this.items.length - this.accepted + this.#uncounted;
  }

  /** Takes an item. Stores those that have come if they are enough. */
  async add(item: BatchItemRequest | Refusal): Promise<void> {
    const { maxCalls } = this.#options;
    const index = this.items.length + this.#waiting.length;
    if (index >= maxCalls + maxBeyond) {
      this.#uncounted += 1;
      return;
    }
    const taken = index < maxCalls ? item : tooManyCalls(maxCalls);
    this.#waiting.push(taken);
    this.#waitingBytes += taken.kind === 'item' ? taken.body.length : 0;
    if ((index + 1) % itemsOfPart === 0 || this.#waitingBytes >= bytesAtOnce) {
      await this.#store();
    }
  }

  /** Stores the items that wait, and with them the part of the batch that they complete. */
  async #store(): Promise<void> {
    const { parts, origin } = this.#options;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.items.push(...(await parts.store(origin, waiting, this.items.length)));
    if (this.items.length % itemsOfPart === 0) {
      await this.#storePart();
    }
    if (this.#now() - this.#storedAt > renewMs) {
      await this.#put({ parts: this.#parts });
    }
  }

  async #storePart(): Promise<void> {
    const part = this.items.slice(this.#parts * itemsOfPart);
    if (part.length > 0) {
      await insist(() => this.#options.batches.putItems(this.#state, this.#parts, part));
      this.#parts += 1;
    }
  }

  /** No more items come: stores those that are left. */
  async complete(): Promise<void> {
    if (this.#waiting.length > 0) {
      await this.#store();
    }
    await this.#storePart();
  }

  /** Workers may end the batch from now on. */
  async seal(fingerprint: string | undefined): Promise<void> {
    const { accepted: total, refused } = this;
    const known = fingerprint === undefined ? {} : { fingerprint };
    await this.#put({ phase: 'sealed', parts: this.#parts, total, refused, ...known });
  }

  /** Nothing of it was accepted, or it cannot be completed: its key may be used again. */
  async giveUp(): Promise<void> {
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

/** Stores a record without which the batch cannot go on. Throws `RefusalError`. */
export async function insist(put: () => Promise<PublishResult>): Promise<{ readonly sequence: number }> {
  const until = (result: PublishResult): boolean => result.kind === 'stored' || result.reason !== 'undecided';
  const result = await retry(put, { waits, until });
  if (result.kind === 'refused') {
    const refused = result.reason === 'conflict' ? takenOver : toQueueRefusal(result.reason);
    throw new RefusalError({ ...refused, reason: result.detail });
  }
  return result;
}

/** A second request with its key has waited too long for this one. */
const takenOver = refusal('overloaded', 'Another request with the same Idempotency-Key has gone on with the batch.', {
  'Retry-After': '1',
});
