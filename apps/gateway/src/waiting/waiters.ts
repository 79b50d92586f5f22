import type { Caller } from '@asyncfn/tokens';
import type { Asker } from '../auth/index.ts';
import { type Refusal, refusal } from '../problem.ts';

export interface WaiterLimits {
  /** Maximum number of waiting requests. */
  readonly inAll: number;
  /** The same for one token. */
  readonly perToken: number;
}

/** The permission to wait; disposed when the wait is over. */
export interface WaiterPlace extends Disposable {
  readonly kind: 'place';
  /** The token that has the place, for the lookups of its wait. */
  readonly asker: Asker;
}

/** What is answered to who finds no place. */
export interface WaiterRefusals {
  /** The maximum number of requests of the token is waiting. */
  readonly tooMany: Refusal;
  readonly full: Refusal;
}

/** Limits the number of waiting requests, in total and for each token. */
export class Waiters {
  readonly #limits: WaiterLimits;
  readonly #refusals: WaiterRefusals;
  readonly #ofToken = new Map<string, number>();
  #count = 0;

  /** @param refusals default: those of requests that wait for calls */
  constructor(limits: WaiterLimits, refusals: WaiterRefusals = { tooMany, full }) {
    this.#limits = limits;
    this.#refusals = refusals;
  }

  /** Number of waiting requests. */
  get count(): number {
    return this.#count;
  }

  /** Admits another waiting request, or refuses it. Callers without a token share one limit. */
  admit({ name }: Pick<Caller, 'name'>): WaiterPlace | Refusal {
    if (name !== undefined && this.#countOf(name) >= this.#limits.perToken) {
      return this.#refusals.tooMany;
    }
    if (this.#count >= this.#limits.inAll) {
      return this.#refusals.full;
    }
    this.#add(name, 1);
    let isTaken = true;
    return {
      kind: 'place',
      asker: { name, hasPlace: true },
      [Symbol.dispose]: () => {
        if (isTaken) {
          isTaken = false;
          this.#add(name, -1);
        }
      },
    };
  }

  #countOf(name: string): number {
    return this.#ofToken.get(name) ?? 0;
  }

  #add(name: string | undefined, change: 1 | -1): void {
    this.#count += change;
    if (name === undefined) {
      return;
    }
    const count = this.#countOf(name) + change;
    if (count === 0) {
      this.#ofToken.delete(name);
    } else {
      this.#ofToken.set(name, count);
    }
  }
}

const retryAfter = { 'Retry-After': '5' };
const tooMany = refusal(
  'too_many_waiting',
  'The maximum number of requests with this token is waiting. Send the request without wait, or again after one of them was answered.',
  retryAfter,
);
const full = refusal(
  'overloaded',
  'The maximum number of clients is waiting. Send the request without wait, or again later.',
  retryAfter,
);
