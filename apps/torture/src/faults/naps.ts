import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet } from '@asyncfn/stack';
import { eventually } from '@asyncfn/testkit';
import { pausedFunction } from '../plan.ts';
import { type Access, operator } from '../rig/index.ts';

export interface NapsOptions {
  readonly fleet: Pick<Fleet, 'gateways'>;
  readonly access: Access;
  /** How long the function is paused for, in milliseconds. */
  readonly napMs: number;
  readonly log: (line: string) => void;
}

/** Pauses a function with the operators' API for a while, during which other faults happen. */
export class Naps {
  readonly #options: NapsOptions;
  #nap: { readonly wake: AbortController; readonly over: Promise<void> } | undefined;

  constructor(options: NapsOptions) {
    this.#options = options;
  }

  /** Resolves once the function is paused. Does nothing if it is paused already. */
  async begin(): Promise<void> {
    if (this.#nap !== undefined) {
      return;
    }
    await this.#order('pause');
    const wake = new AbortController();
    const over = delay(this.#options.napMs, undefined, { signal: wake.signal })
      .catch(() => {})
      .then(() => this.#order('resume'))
      .finally(() => {
        this.#nap = undefined;
      });
    // The caller that ends the run gets the failure.
    over.catch(() => {});
    this.#nap = { wake, over };
  }

  /** Resolves when the function is no longer paused. */
  async end(): Promise<void> {
    const nap = this.#nap;
    nap?.wake.abort();
    await nap?.over;
  }

  /** Asks each gateway in turn: all of them may be away for a moment. */
  async #order(what: 'pause' | 'resume'): Promise<void> {
    const { fleet, access, log } = this.#options;
    const headers = { authorization: access.authorizationOf(operator) };
    const order = async (url: string): Promise<boolean> => {
      const path = `/system/functions/${pausedFunction}/${what}`;
      return (await fetch(`${url}${path}`, { method: 'POST', headers, signal: AbortSignal.timeout(10_000) })).ok;
    };
    await eventually(
      async () => {
        for (const { process } of fleet.gateways) {
          if (await order(process.url).catch(() => false)) {
            return true;
          }
        }
        return false;
      },
      { timeoutMs: 120_000, intervalMs: 200, message: `no gateway does ${what} ${pausedFunction}` },
    );
    log(`${what} ${pausedFunction}`);
  }
}
