/** How many may wait for each slot. More would only hold in memory what the broker can keep. */
const waitingPerSlot = 10;

interface Host {
  taken: number;
  /** In the order in which they came; each is called when a slot has been taken for it. */
  readonly waiting: Set<() => void>;
}

/**
 * Limits the callbacks that are under way, in all and for each host, so that one receiver that hangs never takes the
 * place of the others. Who finds no slot may wait a little: slots of a receiver that is well are free again at once.
 */
export class HostSlots {
  readonly #max: number;
  readonly #maxPerHost: number;
  /** Hosts with a slot taken or somebody waiting. */
  readonly #hosts = new Map<string, Host>();
  #taken = 0;
  #waiting = 0;

  /**
   * @param max callbacks under way at once, to all hosts together
   * @param maxPerHost callbacks under way at once to one host
   */
  constructor(max: number, maxPerHost: number) {
    this.#max = max;
    this.#maxPerHost = maxPerHost;
  }

  /** Slots that are free for a host that has none. */
  get free(): number {
    return this.#max - this.#taken;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Resolves with whether a slot of the host was free, or became free within `waitMs`; if so, it is taken until
   * `release`. False at once where too many wait already, and as soon as `signal` aborts.
   */
  async take(name: string, waitMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#tryTake(name)) {
      return true;
    }
    return !signal.aborted && this.#mayWait(name) && this.#wait(name, waitMs, signal);
  }

  release(name: string): void {
    this.#of(name).taken -= 1;
    this.#taken -= 1;
    // For the host itself or, where all hosts together had too many, for another one.
    if (!this.#grant(name)) {
      this.#grantAny();
    }
    this.#forget(name);
  }

  #mayWait(name: string): boolean {
    const ofHost = this.#hosts.get(name)?.waiting.size ?? 0;
    return this.#waiting < this.#max * waitingPerSlot && ofHost < this.#maxPerHost * waitingPerSlot;
  }

  #wait(name: string, waitMs: number, signal: AbortSignal): Promise<boolean> {
    const { waiting } = this.#of(name);
    return new Promise((resolve) => {
      const end = (granted: boolean): void => {
        waiting.delete(grant);
        this.#waiting -= 1;
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        this.#forget(name);
        resolve(granted);
      };
      const grant = (): void => end(true);
      const giveUp = (): void => end(false);
      const timer = setTimeout(giveUp, waitMs);
      signal.addEventListener('abort', giveUp, { once: true });
      waiting.add(grant);
      this.#waiting += 1;
    });
  }

  #tryTake(name: string): boolean {
    const host = this.#of(name);
    if (this.#taken >= this.#max || host.taken >= this.#maxPerHost) {
      this.#forget(name);
      return false;
    }
    host.taken += 1;
    this.#taken += 1;
    return true;
  }

  #grantAny(): void {
    for (const name of this.#hosts.keys()) {
      if (this.#grant(name)) {
        return;
      }
    }
  }

  #grant(name: string): boolean {
    const [next] = this.#hosts.get(name)?.waiting ?? [];
    if (next === undefined || !this.#tryTake(name)) {
      return false;
    }
    next();
    return true;
  }

  #of(name: string): Host {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      host = { taken: 0, waiting: new Set() };
      this.#hosts.set(name, host);
    }
    return host;
  }

  #forget(name: string): void {
    const host = this.#hosts.get(name);
    if (host !== undefined && host.taken === 0 && host.waiting.size === 0) {
      this.#hosts.delete(name);
    }
  }
}
