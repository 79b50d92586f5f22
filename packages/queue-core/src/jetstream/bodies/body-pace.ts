import { RoundRobin } from '../../round-robin.ts';

/** How often the event loop is watched and the rate is changed, in milliseconds. */
const tickMs = 10;
/** A timer that fires later than this has waited for more than one piece of other work, in milliseconds. */
const toleratedMs = 5;
const mebibyte = 1024 * 1024;
const maxRate = 1024 * mebibyte;
const firstRate = 128 * mebibyte;
/** What a tick in time adds, in bytes per second: 50 MiB/s within a second. */
const increase = mebibyte / 2;
/** What a late tick leaves of the rate. */
const decrease = 0.8;
/** Every second, in ticks, the pace checks again whether the process has other calls to give way to. */
const ticksPerCount = 100;
/** If the process sends fewer other messages in that time, bodies are alone: each causes some, for its record, lease and outcome. */
const someMessages = 50;
/** After this many ticks without a transfer, the pace stops watching the event loop. */
const idleTicks = 200;

export interface BodyPaceOptions {
  /** What large bodies may take however busy the process is, in bytes per second. */
  readonly minRate: number;
  /** How many messages that are not parts of bodies the process has sent so far. */
  readonly sent: () => number;
}

interface Waiting {
  readonly bytes: number;
  readonly begin: () => void;
}

/**
 * The rate of all large bodies of a process together. They give way to its other calls, if it has any: they get slower
 * while the event loop runs its timers late, and faster while it does not. LEDBAT (RFC 6817) does this for background
 * transfers in a network.
 */
export class BodyPace {
  readonly #options: BodyPaceOptions;
  #rate = firstRate;
  /** Bytes that may be transferred before the next tick. Below 0 after a transfer of more than was left. */
  #credit = 0;
  readonly #waiting = new RoundRobin<Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #tickedAt = 0;
  #ticks = 0;
  #idle = 0;
  #sent = 0;
  #isAlone = false;

  constructor(options: BodyPaceOptions) {
    this.#options = options;
  }

  /** In bytes per second; infinite while there is nothing to give way to. */
  get rate(): number {
    return this.#isAlone ? Number.POSITIVE_INFINITY : this.#rate;
  }

  /**
   * Resolves when these bytes may be transferred. Owners take turns; the transfers of one keep their order.
   * @param owner whose call it is, as its address has it
   */
  take(bytes: number, owner: string): Promise<void> {
    this.#idle = 0;
    this.#watch();
    return new Promise((begin) => {
      this.#waiting.add({ bytes, begin }, owner);
      this.#begin();
    });
  }

  #watch(): void {
    if (this.#timer === undefined) {
      this.#tickedAt = performance.now();
      this.#ticks = 0;
      this.#sent = this.#options.sent();
      this.#timer = setInterval(() => this.#tick(), tickMs).unref();
    }
  }

  #tick(): void {
    const now = performance.now();
    const tookMs = now - this.#tickedAt;
    this.#tickedAt = now;
    this.#ticks += 1;
    if (this.#ticks % ticksPerCount === 0) {
      this.#count();
    }
    const rate = tookMs - tickMs > toleratedMs ? this.#rate * decrease : this.#rate + increase;
    this.#rate = Math.min(Math.max(rate, this.#options.minRate), maxRate);
    // Unused credit expires, as it would be spent in one burst.
    this.#credit = Math.min(this.#credit, 0) + (this.#rate * tookMs) / 1_000;
    this.#begin();
    this.#idle += 1;
    if (this.#idle > idleTicks && this.#waiting.isEmpty) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #count(): void {
    const sent = this.#options.sent();
    this.#isAlone = sent - this.#sent < someMessages;
    this.#sent = sent;
  }

  #begin(): void {
    while (this.#isAlone || this.#credit > 0) {
      const next = this.#waiting.take();
      if (next === undefined) {
        return;
      }
      // Bodies that are alone owe nothing.
      this.#credit -= this.#isAlone ? 0 : next.bytes;
      next.begin();
    }
  }
}
