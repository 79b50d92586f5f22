import { type CallAddress, type CallState, FairTurns } from '@asyncfn/queue-core';
import type { CallFinder } from '@asyncfn/queue-core/jetstream';
import type { Asker, CallLookup } from '../auth/index.ts';
import { RefusalError } from '../problem.ts';
import { refuseFlood } from './refuse-flood.ts';

/** Enough to keep the broker busy: a look takes some milliseconds. */
const defaultMax = 64;
/** Of one token: the more of its looks are before that of another one, the longer that takes. */
const maxPerSubmitter = 16;
/** For those who ask on nobody's behalf: the gateway itself, and tests. */
const anybody: Asker = { name: undefined };

/**
 * Looks for calls, so many at once and no more: each look is several requests to JetStream, which answers them one after
 * the other, and thousands of clients that begin to wait, or whose call ends, would keep everybody's calls waiting behind
 * them. Submitters take turns. The clients of one that want a call that is still to be looked for share that look. One that has
 * begun is not shared: it may have missed what was heard since.
 */
export class SharedLookups implements CallLookup {
  readonly #calls: Pick<CallFinder, 'available' | 'find' | 'listOwners'>;
  readonly #turns: FairTurns;
  /** Those that have not begun. */
  readonly #queued = new Map<string, Promise<CallState | undefined>>();

  /** @param max looks at once */
  constructor(calls: Pick<CallFinder, 'available' | 'find' | 'listOwners'>, max = defaultMax) {
    this.#calls = calls;
    this.#turns = new FairTurns({ max, maxPerSubmitter });
  }

  get available(): boolean {
    return this.#calls.available;
  }

  async find(address: CallAddress, asker: Asker = anybody): Promise<CallState | undefined> {
    const { callId, owner = '', startTime = '' } = address;
    const key = [asker.name ?? '', callId, owner, startTime].join(' ');
    const queued = this.#queued.get(key);
    if (queued !== undefined) {
      return await queued;
    }
    this.#refuseFlood(asker);
    let isQueued = true;
    const begin = (): Promise<CallState | undefined> => {
      isQueued = false;
      this.#queued.delete(key);
      return this.#calls.find(address);
    };
    const look = this.#turns.run(begin, asker.name);
    if (isQueued) {
      this.#queued.set(key, look);
    }
    return await look;
  }

  async listOwners(callId: string, asker: Asker = anybody): Promise<CallAddress[]> {
    this.#refuseFlood(asker);
    return await this.#turns.run(() => this.#calls.listOwners(callId), asker.name);
  }

  #refuseFlood(asker: Asker): void {
    const flood = asker.hasPlace ? undefined : refuseFlood(this.#turns, asker);
    if (flood !== undefined) {
      throw new RefusalError(flood);
    }
  }
}
