import type { CallAddress, CallState } from '@asyncfn/queue-core';
import type { CallLookup } from '../auth/index.ts';

/** A look for one call that has not begun yet, for all who want it. */
interface QueuedLook {
  readonly address: CallAddress;
  readonly state: Promise<CallState | undefined>;
  readonly begin: (state: Promise<CallState | undefined>) => void;
}

/** Enough to keep the broker busy: a look takes some milliseconds. */
const defaultMost = 64;

/**
 * Looks for calls, so many at once and no more: each look is several requests to JetStream, which answers them one after
 * the other, and thousands of clients that begin to wait, or whose call ends, would keep everybody's calls waiting behind
 * them. Who wants a call that is still to be looked for shares that look. One that has begun is not shared: it may have
 * missed what was heard since.
 */
export class SharedLookups implements CallLookup {
  readonly #calls: CallLookup;
  readonly #most: number;
  /** Those that have not begun, in their order. */
  readonly #queued = new Map<string, QueuedLook>();
  #underWay = 0;

  /** @param most looks at once */
  constructor(calls: CallLookup, most = defaultMost) {
    this.#calls = calls;
    this.#most = most;
  }

  get available(): boolean {
    return this.#calls.available;
  }

  find(address: CallAddress): Promise<CallState | undefined> {
    return this.#underWay < this.#most ? this.#look(address) : this.#enqueue(address);
  }

  listOwners(callId: string): Promise<CallAddress[]> {
    return this.#calls.listOwners(callId);
  }

  #enqueue(address: CallAddress): Promise<CallState | undefined> {
    const { callId, owner = '', startTime = '' } = address;
    const key = [callId, owner, startTime].join(' ');
    const queued = this.#queued.get(key) ?? toQueued(address);
    this.#queued.set(key, queued);
    return queued.state;
  }

  async #look(address: CallAddress): Promise<CallState | undefined> {
    this.#underWay += 1;
    try {
      return await this.#calls.find(address);
    } finally {
      this.#underWay -= 1;
      this.#beginNext();
    }
  }

  #beginNext(): void {
    const [next] = this.#queued;
    if (next !== undefined) {
      const [key, queued] = next;
      this.#queued.delete(key);
      queued.begin(this.#look(queued.address));
    }
  }
}

function toQueued(address: CallAddress): QueuedLook {
  let begin: QueuedLook['begin'] = () => {};
  const state = new Promise<CallState | undefined>((resolve) => {
    begin = resolve;
  });
  return { address, state, begin };
}
