import type { AbortWatch } from '../http/index.ts';
import type { Entrance, Pass } from '../limiter/index.ts';
import type { RateShare, Start } from './rate-share.ts';

/** The way of one call to a function with a rate: it takes a start when it comes, and then passes the gate. */
export class RatedEntrance implements Entrance {
  readonly #gate: Entrance;
  readonly #share: Pick<RateShare, 'reserveNow'>;
  readonly #reserved: Start | Promise<Start | undefined> | undefined;
  /** Until an attempt begins with it. */
  #start: Start | undefined;

  constructor(gate: Entrance, share: Pick<RateShare, 'reserve' | 'reserveNow'>) {
    this.#gate = gate;
    this.#share = share;
    this.#reserved = share.reserve();
    this.#start = this.#reserved instanceof Promise ? undefined : this.#reserved;
  }

  /** Undefined if there is no start for the call, too. */
  enter(signal?: AbortWatch): Pass | Promise<Pass | undefined> {
    const reserved = this.#reserved;
    if (reserved === undefined) {
      return Promise.resolve(undefined);
    }
    return reserved instanceof Promise ? this.#enterLater(reserved, signal) : this.#enter(reserved, signal);
  }

  async again(signal?: AbortWatch): Promise<Pass | undefined> {
    this.#start = this.#share.reserveNow();
    return this.#start && toPass(await this.#gate.again(signal), this.#start);
  }

  /** The call has ended, or goes back: if no attempt has begun with its start, another call can have that. */
  release(): void {
    this.#start?.release();
  }

  async #enterLater(reserved: Promise<Start | undefined>, signal?: AbortWatch): Promise<Pass | undefined> {
    this.#start = await reserved;
    return this.#start && (await this.#enter(this.#start, signal));
  }

  #enter(start: Start, signal?: AbortWatch): Pass | Promise<Pass | undefined> {
    const entered = this.#gate.enter(signal);
    return entered instanceof Promise
      ? entered.then((pass) => toPass(pass, start))
      : (toPass(entered, start) ?? entered);
  }
}

function toPass(pass: Pass | undefined, start: Start): Pass | undefined {
  if (pass === undefined) {
    start.release();
    return undefined;
  }
  return {
    begin: () => start.begin(),
    sent: () => start.sent(),
    leave(signal) {
      pass.leave(signal);
      start.ended();
    },
    get rejectedInCompany() {
      return pass.rejectedInCompany;
    },
  };
}
