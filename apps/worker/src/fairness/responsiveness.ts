import { LRUCache } from 'lru-cache';

/**
 * The recent behaviour of a receiver or DNS server: `answering` has answered, `hanging` keeps us waiting, and `unknown`
 * has not been asked, or did both.
 */
export type Responsiveness = 'answering' | 'unknown' | 'hanging';

export interface ResponsivenessOptions {
  /** Milliseconds, of a clock that never goes back. Default `performance.now`. */
  readonly now?: () => number;
  /** How many keys are remembered. Default 10,000. */
  readonly max?: number;
}

interface Seen {
  answeredAt: number;
  /** How long the last answer took. */
  answerMs: number;
  silentAt: number;
  /** How long the last request without an answer took; 0 once another one was answered. */
  silentMs: number;
  /** When the requests began that are under way, in their order. */
  readonly underWay: Set<{ readonly at: number }>;
}

/** A request without an answer for this long hangs, unless the last answer took as long. */
const slowMs = 1_000;
/** A request hangs after this many times the duration of the last answer. */
const patience = 3;
/** A receiver that kept us waiting is not trusted again for this long. */
const wearyMs = 60_000;
const forgetMs = 10 * 60_000;
const never = Number.NEGATIVE_INFINITY;

/** Tracks responsiveness by key. */
export class ResponsivenessTracker {
  readonly #now: () => number;
  readonly #seen: LRUCache<string, Seen>;

  constructor({ now = () => performance.now(), max = 10_000 }: ResponsivenessOptions = {}) {
    this.#now = now;
    this.#seen = new LRUCache({ max });
  }

  /** Undefined for a key without recent requests. */
  of(key: string): Responsiveness | undefined {
    const seen = this.#seen.get(key);
    if (seen === undefined) {
      return undefined;
    }
    const now = this.#now();
    const hungSince = this.#hungSince(seen, now);
    const lastSeenAt = Math.max(seen.answeredAt, hungSince, seen.underWay.size > 0 ? now : never);
    if (now - lastSeenAt > forgetMs) {
      this.#seen.delete(key);
      return undefined;
    }
    return toResponsiveness(seen, hungSince, now);
  }

  /** How long the last answer took; undefined without one. */
  answerMs(key: string): number | undefined {
    const seen = this.#seen.peek(key);
    return seen === undefined || seen.answeredAt === never ? undefined : seen.answerMs;
  }

  /** How long a request has waited without an answer, or waits already: the longest since the last answer. 0 for none. */
  silentMs(key: string): number {
    const { silentMs = 0, underWay = [] } = this.#seen.peek(key) ?? {};
    const [oldest] = underWay;
    return oldest === undefined ? silentMs : Math.max(silentMs, this.#now() - oldest.at);
  }

  /**
   * A request begins. Call the returned function with whether it was answered; a request that fails at once proves
   * nothing.
   */
  begin(key: string): (answered: boolean) => void {
    const seen = this.#seen.get(key) ?? {
      answeredAt: never,
      answerMs: 0,
      silentAt: never,
      silentMs: 0,
      underWay: new Set(),
    };
    this.#seen.set(key, seen);
    const request = { at: this.#now() };
    seen.underWay.add(request);
    return (answered) => {
      seen.underWay.delete(request);
      const now = this.#now();
      if (answered) {
        seen.answeredAt = now;
        seen.answerMs = now - request.at;
        seen.silentMs = 0;
      } else if (now - request.at >= slowMs) {
        seen.silentAt = now;
        seen.silentMs = now - request.at;
      }
    };
  }

  /** When the last request that hangs or has hung began or ended. */
  #hungSince({ underWay, answerMs, silentAt }: Seen, now: number): number {
    const [oldest] = underWay;
    const isOverdue = oldest !== undefined && now - oldest.at >= Math.max(slowMs, patience * answerMs);
    return isOverdue ? Math.max(silentAt, oldest.at) : silentAt;
  }
}

function toResponsiveness({ answeredAt }: Seen, hungSince: number, now: number): Responsiveness {
  if (hungSince === never && answeredAt === never) {
    return 'unknown';
  }
  if (hungSince >= answeredAt) {
    return 'hanging';
  }
  return now - hungSince >= wearyMs ? 'answering' : 'unknown';
}
