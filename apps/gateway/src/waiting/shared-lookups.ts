import { type CallAddress, type CallState, FairTurns } from '@asyncfn/queue-core';
import type { CallFinder } from '@asyncfn/queue-core/jetstream';
import type { Asker, CallLookup } from '../auth/index.ts';
import { RefusalError } from '../problem.ts';
import { refuseFlood } from './refuse-flood.ts';

/** Maximum number of look-ups at once. Enough to keep the broker busy: a look-up takes some milliseconds. */
const defaultMax = 64;
/** The same for one token: the more of its look-ups are ahead of another token's, the longer that one waits. */
const maxPerSubmitter = 16;
/** For look-ups without a caller: by the gateway itself, and in tests. */
const anybody: Asker = { name: undefined };

/**
 * Limits the look-ups of calls at once: each is several requests to JetStream, which answers them one after the other,
 * so thousands of clients that begin to wait, or whose call ends, would delay all calls behind them. Submitters take
 * turns. Clients of one submitter that want the same call share a look-up that has not started. A started look-up is
 * not shared, because it may have missed later changes.
 */
export class SharedLookups implements CallLookup {
  readonly #calls: Pick<CallFinder, 'available' | 'find' | 'listOwners'>;
  readonly #turns: FairTurns;
  /** Look-ups that have not started. */
  readonly #queued = new Map<string, Promise<CallState | undefined>>();

  /** @param max maximum number of look-ups at once */
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
