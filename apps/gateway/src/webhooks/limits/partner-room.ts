import type { IncomingMessage } from 'node:http';
import { BodyBudget, type BodyShare, disconnected, IncomingBody } from '../../http/index.ts';
import type { Refusal } from '../../problem.ts';

/** All partners together count as one caller, whose name no token can have. */
export const partners = '~partners';

/** The part of the budget of bodies that one owner can get. */
const partForPartners = 2 / 3;

/** Bodies that wait for room; node has read up to 64 KiB of each. */
const defaultMaxWaiting = 256;

/** A sender that gets no answer within some seconds gives up. */
const defaultWaitMs = 3_000;

/** How often waiting bodies are tried, because the room of other callers becomes free, and slow bodies make room. */
const retryMs = 100;

export interface PartnerRoomOptions {
  /** Default 256. */
  readonly maxWaiting?: number;
  /** Default 3,000. */
  readonly waitMs?: number;
}

/** A body that waits. Returns whether it does no longer. */
type Waiting = () => boolean;

/**
 * The room for bodies that are not verified yet. They share one owner in the budget of all bodies, and within that each
 * block of addresses is an owner of its own: a stranger takes room from other strangers before it takes any from callers.
 * A body that does not fit waits for a while, unread, because a partner's next try may be minutes away.
 */
export class PartnerRoom {
  readonly #all: BodyBudget;
  readonly #own: BodyBudget;
  readonly #maxWaiting: number;
  readonly #waitMs: number;
  readonly #waiting = new Set<Waiting>();
  /** How many of them each block has. */
  readonly #waitingOf = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  /** @param budget the one of all bodies */
  constructor(budget: BodyBudget, { maxWaiting = defaultMaxWaiting, waitMs = defaultWaitMs }: PartnerRoomOptions = {}) {
    this.#all = budget;
    this.#own = new BodyBudget({ limitBytes: Math.floor(budget.limitBytes * partForPartners) });
    this.#maxWaiting = maxWaiting;
    this.#waitMs = waitMs;
  }

  /**
   * Admits the body of a request.
   * @param block of addresses that it comes from
   */
  async admit(request: IncomingMessage, block: string): Promise<IncomingBody | Refusal> {
    const body = IncomingBody.admit(request, this, block);
    return body.kind === 'refused' && this.#mayWait(block) ? await this.#wait(request, block, body) : body;
  }

  /** One block has at most half of the places. */
  #mayWait(block: string): boolean {
    return this.#waiting.size < this.#maxWaiting && (this.#waitingOf.get(block) ?? 0) < Math.ceil(this.#maxWaiting / 2);
  }

  #countWaiting(block: string, change: 1 | -1): void {
    const count = (this.#waitingOf.get(block) ?? 0) + change;
    if (count === 0) {
      this.#waitingOf.delete(block);
    } else {
      this.#waitingOf.set(block, count);
    }
  }

  /** As `BodyBudget.open`, for a share of both budgets. */
  open(bytes: number, giveUp: () => void, block?: string): BodyShare | undefined {
    const shares: BodyShare[] = [];
    const release = (): void => {
      for (const share of shares) {
        share.release();
      }
      this.#tryAll();
    };
    const lose = (): void => {
      release();
      giveUp();
    };
    const own = this.#own.open(bytes, lose, block);
    const all = own && this.#all.open(bytes, lose, partners);
    if (own === undefined || all === undefined) {
      own?.release();
      return undefined;
    }
    shares.push(own, all);
    return {
      arrived: (more) => own.arrived(more) && all.arrived(more),
      left(bytes) {
        own.left(bytes);
        all.left(bytes);
      },
      complete() {
        own.complete();
        all.complete();
      },
      release,
    };
  }

  #wait(request: IncomingMessage, block: string, refused: Refusal): Promise<IncomingBody | Refusal> {
    return new Promise((resolve) => {
      const end = (result: IncomingBody | Refusal): true => {
        clearTimeout(timer);
        request.off('close', leave);
        this.#waiting.delete(retry);
        this.#countWaiting(block, -1);
        resolve(result);
        return true;
      };
      const retry = (): boolean => {
        const body = IncomingBody.admit(request, this, block);
        return body.kind !== 'refused' && end(body);
      };
      const leave = (): boolean => end(disconnected);
      const timer = setTimeout(() => end(refused), this.#waitMs);
      request.once('close', leave);
      this.#waiting.add(retry);
      this.#countWaiting(block, 1);
      this.#timer ??= setInterval(() => this.#tryAll(), retryMs);
    });
  }

  /** In the order in which they came. Small bodies may have room before large ones. */
  #tryAll(): void {
    for (const retry of this.#waiting) {
      retry();
    }
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}
