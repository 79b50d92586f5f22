import { randomInt } from 'node:crypto';
import type { PublishResult } from '@asyncfn/queue-core';
import type { RateStore, ReadLedger } from '@asyncfn/queue-core/jetstream';
import {
  fairShare,
  freeStarts,
  type Ledger,
  longestLeaseMs,
  nextFreeAt,
  nextLedger,
  othersHold,
  type StoredLedger,
} from '@asyncfn/queue-core/rates';
import { type Logger, sleep } from '@asyncfn/service-kit';
import type { Rate } from '@asyncfn/units';
import { StartPool, type Use } from './start-pool.ts';

export interface RateShareOptions {
  /** The function. */
  readonly name: string;
  /** Of this share, different from that of any other. */
  readonly id: string;
  readonly rate: Rate;
  readonly store: Pick<RateStore, 'read' | 'write'>;
  /** How long this worker may give no sign of life before others take what it holds, in milliseconds. */
  readonly ackWaitMs: number;
  /** Called when the lane may have more room than before. */
  readonly onRoom: () => void;
  readonly logger: Logger;
  /** The earliest that it can be at the broker: Unix time in milliseconds. */
  readonly earliest: () => number;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** The right to make one attempt. */
export interface Start {
  /** Right before the attempt begins: whether it may, because the start is still ours. Otherwise the start is returned. */
  begin(): boolean;
  /** The request is on its way to the function. */
  sent(): void;
  /** The attempt has ended. */
  ended(): void;
  /** Returns the start unless an attempt has begun. */
  release(): void;
}

interface Decision {
  readonly by: StoredLedger['by'];
  readonly granted: number;
  readonly isWorthWriting: boolean;
  /** Starts that stay free. */
  readonly free: number;
}

/** A start that was not needed for so long is given back, in milliseconds. */
const spareMs = 1_000;
/** How often a share that needs more looks for it while others hold starts, in milliseconds. */
const lookMs = 500;
/** Longest wait until it looks otherwise. */
const longestLookMs = 5_000;
/** Wait after the broker did not answer. */
const retryMs = 1_000;
/** How often a write is tried if others come first. */
const tries = 8;

/**
 * The share of one lane in the starts of its function's rate (see ADR 63). It uses its starts without asking anybody,
 * and reads and writes the ledger at the broker to take more, to renew its lease, and to give back what it does not
 * need.
 */
export class RateShare {
  readonly #options: RateShareOptions;
  readonly #pool: StartPool;
  readonly #leaseMs: number;
  readonly #now: () => number;
  #waiting: ((start: Start | undefined) => void)[] = [];
  /** Uses that were given back and that no ledger shows yet. */
  #unreported: number[] = [];
  #leaseUntil = Number.NEGATIVE_INFINITY;
  #renewAt = Number.POSITIVE_INFINITY;
  /** When to look for starts, or write what has changed. */
  #lookAt = Number.POSITIVE_INFINITY;
  /** Calls that the lane could begin with as many starts. */
  #demand = 0;
  /** A call was turned away. */
  #owes = false;
  /** It holds no start, and there was none. */
  #blocked = false;
  #shut = false;
  #isFailing = false;
  #underWay: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RateShareOptions) {
    this.#options = options;
    this.#now = options.now ?? performance.now.bind(performance);
    this.#pool = new StartPool(options.rate);
    this.#leaseMs = Math.min(longestLeaseMs, Math.floor(options.ackWaitMs / 3));
  }

  get rate(): Rate {
    return this.#pool.rate;
  }

  set rate(rate: Rate) {
    const { count, periodMs } = this.#pool.rate;
    if (rate.count !== count || rate.periodMs !== periodMs) {
      this.#pool.rate = rate;
      if (this.#pool.held > 0 || this.#blocked) {
        this.#lookAt = this.#now();
      }
      this.#arm();
      this.#options.onRoom();
    }
  }

  /** Starts that it holds. */
  get held(): number {
    return this.#pool.held;
  }

  /** Calls that could begin, but for the rate. */
  get waiting(): number {
    return Math.max(0, this.#wanted - this.#usable);
  }

  /** Calls that may be requested in addition. An idle share requests one, and takes a start when that comes. */
  get room(): number {
    const isIdle = this.#pool.held === 0 && !this.#blocked && !this.#shut && this.#waiting.length === 0;
    return isIdle ? 1 : this.#usable;
  }

  /** How many calls wait for which the lane has room. */
  set demand(demand: number) {
    this.#demand = demand;
    if (this.waiting > 0 && !this.#blocked && this.#lookAt === Number.POSITIVE_INFINITY) {
      this.#lookAt = this.#now();
    }
    this.#arm();
  }

  /** A start for a call that has come; undefined if there is none. */
  reserve(): Start | Promise<Start | undefined> | undefined {
    const start = this.reserveNow();
    if (start !== undefined) {
      return start;
    }
    if (this.#shut || this.#blocked) {
      this.#owes = true;
      return undefined;
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#lookAt = this.#now();
      this.#arm();
    });
  }

  /** A start that this worker has; undefined if it has none. */
  reserveNow(): Start | undefined {
    return this.#usable > 0 ? this.#toStart(this.#pool.take(this.#now())) : undefined;
  }

  /** Takes no more starts. Calls that wait for one are turned away. */
  shut(): void {
    this.#shut = true;
    this.#serve();
  }

  /** Gives back all starts, as far as their attempts have begun. Never rejects. */
  async close(): Promise<void> {
    this.shut();
    clearTimeout(this.#timer);
    await this.#underWay;
    if (this.#pool.held > 0 || this.#unreported.length > 0) {
      await this.#exchange();
    }
    clearTimeout(this.#timer);
  }

  get #usable(): number {
    const now = this.#now();
    return now < this.#leaseUntil && !this.#shut ? Math.max(0, this.#pool.cold(now)) : 0;
  }

  get #wanted(): number {
    return this.#shut ? 0 : Math.max(this.#demand, this.#owes ? 1 : 0) + this.#waiting.length;
  }

  #toStart(use: Use): Start {
    const pool = this.#pool;
    let hasBegun = false;
    return {
      begin: () => {
        hasBegun = this.#now() < this.#leaseUntil;
        if (!hasBegun) {
          pool.release(use);
        }
        return hasBegun;
      },
      sent: () => pool.sent(use, this.#now()),
      ended: () => {
        pool.ended(use, this.#now());
        this.#arm();
      },
      release: () => {
        if (!hasBegun) {
          pool.release(use);
          this.#arm();
        }
      },
    };
  }

  /** Sets the timer for whatever comes next. */
  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#shut || this.#underWay !== undefined) {
      return;
    }
    const at = Math.min(this.#lookAt, this.#renewAt, this.#spareAt(), this.#coldAt());
    if (at < Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(() => this.#wake(), Math.max(0, Math.ceil(at - this.#now()))).unref();
    }
  }

  #spareAt(): number {
    return this.#pool.spare(this.#now()) > 0 ? this.#pool.lowSince + spareMs : Number.POSITIVE_INFINITY;
  }

  /** When the lane can request a call that it cannot request now. */
  #coldAt(): number {
    const needs = this.#usable === 0 || this.waiting > 0;
    return needs && this.#now() < this.#leaseUntil
      ? (this.#pool.nextColdAt ?? Number.POSITIVE_INFINITY)
      : Number.POSITIVE_INFINITY;
  }

  #wake(): void {
    const now = this.#now();
    if (this.#usable > 0) {
      this.#options.onRoom();
    }
    if (Math.min(this.#lookAt, this.#renewAt, this.#spareAt()) <= now) {
      this.#underWay = this.#exchange().then(() => {
        this.#underWay = undefined;
        this.#serve();
        this.#options.onRoom();
        this.#arm();
      });
    } else {
      this.#arm();
    }
  }

  /** Gives starts to the calls that wait for one, and turns the others away. */
  #serve(): void {
    for (const resolve of this.#waiting.splice(0)) {
      const start = this.reserveNow();
      this.#owes ||= start === undefined;
      resolve(start);
    }
  }

  /** Reads the ledger, decides, and writes the next one. Never rejects. */
  async #exchange(): Promise<void> {
    const { name, store } = this.#options;
    try {
      for (let left = tries; left > 0; left--) {
        const result = await this.#tryOnce(await store.read(name));
        if (result.kind === 'stored') {
          this.#recovered();
          return;
        }
        if (result.reason !== 'conflict' && result.reason !== 'undecided') {
          throw new Error(`the ledger is not stored: ${result.detail}`);
        }
        await sleep(randomInt(10 * (tries - left + 1)));
      }
      throw new Error('other workers always came first');
    } catch (err) {
      this.#failed(err);
    }
  }

  async #tryOnce({ ledger, sequence }: ReadLedger): Promise<PublishResult> {
    const { name, store, earliest } = this.#options;
    const { rate } = this.#pool;
    const now = earliest();
    const decision = this.#decide(ledger, now);
    if (!decision.isWorthWriting) {
      this.#plan(ledger, now, decision);
      return { kind: 'stored', sequence, duplicate: false };
    }
    const told = this.#unreported.length;
    const sentAt = this.#now();
    const result = await store.write(name, nextLedger(ledger, rate, now, decision.by), sequence, rate.periodMs);
    if (result.kind === 'stored') {
      this.#unreported = this.#unreported.slice(told);
      if (decision.granted > 0) {
        this.#pool.add(decision.granted);
        this.#pool.watchSpare(this.#now());
      }
      this.#owes &&= decision.granted === 0;
      this.#leaseUntil = sentAt + this.#leaseMs;
      this.#renewAt = this.#pool.held > 0 ? sentAt + this.#leaseMs / 3 : Number.POSITIVE_INFINITY;
      this.#plan(ledger, now, decision);
      if (rate !== this.#pool.rate) {
        this.#lookAt = this.#now();
      }
    }
    return result;
  }

  /** What this share keeps, gives back and takes. Starts are given back before that is written, and taken after. */
  #decide(ledger: Ledger, earliest: number): Decision {
    const { id } = this.#options;
    const pool = this.#pool;
    const now = this.#now();
    const free = Math.max(0, freeStarts(ledger, pool.rate, earliest, id) - this.#returned(now));
    const fair = fairShare(ledger, pool.rate, earliest, id);
    const spare = now - pool.lowSince >= spareMs ? pool.spare(now) : 0;
    const most = this.#shut ? 0 : Math.min(pool.held - spare, fair, free);
    this.#unreported.push(...pool.keep(most, now), ...pool.giveUpHot(this.#shut ? 0 : this.#leaseMs, now));
    if (spare > 0 || now - pool.lowSince >= spareMs) {
      pool.watchSpare(now);
    }
    const left = Math.max(0, freeStarts(ledger, pool.rate, earliest, id) - this.#returned(now) - pool.held);
    const lacks = Math.max(0, this.#wanted - Math.max(0, pool.cold(now)));
    // Not all at once: calls may have come to other workers at the same moment.
    const granted = Math.min(lacks, Math.max(0, fair - pool.held), Math.ceil(left / 2));
    const held = pool.held + granted;
    const short = lacks > granted;
    const used = this.#unreported.map((at): [number, number] => [Math.floor(now - at), 1]);
    const by = { id, held, leaseMs: this.#leaseMs, ...(short && { short: true as const }), used };
    return { by, granted, free: left - granted, isWorthWriting: this.#isNews(ledger, by, granted, earliest) };
  }

  /** Starts that were given back, are in their period, and are not in a ledger yet. */
  #returned(now: number): number {
    return this.#unreported.filter((at) => at + this.rate.periodMs > now).length;
  }

  #isNews(ledger: Ledger, by: StoredLedger['by'], granted: number, earliest: number): boolean {
    const before = ledger.holders.get(by.id);
    if (granted > 0 || by.used.length > 0 || by.held !== (before?.held ?? 0)) {
      return true;
    }
    if (by.held > 0) {
      return this.#now() >= this.#renewAt || (by.short ?? false) !== before?.short;
    }
    const isOld = before === undefined || before.until - earliest < this.#leaseMs / 2;
    // A worker that holds starts shares them if it knows.
    return by.short === true && othersHold(ledger, earliest, by.id) && (isOld || !before.short);
  }

  /** When to look again. */
  #plan(ledger: Ledger, earliest: number, { by, free, granted }: Decision): void {
    this.#blocked = this.#pool.held === 0 && free < 1;
    if (by.held > 0 && this.#renewAt === Number.POSITIVE_INFINITY) {
      this.#renewAt = this.#now() + this.#leaseMs / 3;
    }
    if (!this.#blocked && by.short !== true) {
      this.#lookAt = Number.POSITIVE_INFINITY;
      return;
    }
    const others = othersHold(ledger, earliest, by.id);
    const nextMs = (nextFreeAt(ledger, this.rate, earliest) ?? Number.POSITIVE_INFINITY) - earliest;
    const waitMs = granted > 0 && free > 0 ? 0 : others ? lookMs : Math.min(longestLookMs, Math.max(20, nextMs));
    this.#lookAt = this.#now() + waitMs;
  }

  #recovered(): void {
    if (this.#isFailing) {
      this.#isFailing = false;
      this.#options.logger.info({ function: this.#options.name }, 'starts of a rate can be leased again');
    }
  }

  #failed(err: unknown): void {
    const { logger, name } = this.#options;
    logger[this.#isFailing ? 'debug' : 'warn']({ err, function: name }, 'starts of a rate cannot be leased yet');
    this.#isFailing = true;
    this.#lookAt = this.#now() + retryMs;
    this.#renewAt = this.#pool.held > 0 ? this.#now() + retryMs : Number.POSITIVE_INFINITY;
  }
}
