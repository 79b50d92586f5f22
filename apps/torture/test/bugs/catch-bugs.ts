import type { AppName } from '@asyncfn/stack';
import type { Rate } from '@asyncfn/units';
import { describe, expect, test } from 'vitest';
import type { Rule } from '../../src/check/rules.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { runTorture } from '../torture.ts';

export interface Bug {
  readonly bug: string;
  /** The file that runs each changed app, without `-main.mjs`. */
  readonly mains: { readonly [App in AppName]?: string };
  readonly faults: readonly (string | Fault)[];
  /** A rule that the bug breaks; of several, one is enough. */
  readonly caughtBy: Rule | readonly Rule[];
  /** Rules that further bugs of the same process break: each is needed. Default: none. */
  readonly alsoCaughtBy?: readonly Rule[];
  readonly workerEnv?: Readonly<Record<string, string>>;
  readonly retry?: Readonly<Record<string, unknown>>;
  /** Shortest wait before a retry. Default 0. */
  readonly retryWaitMs?: number;
  /** Default 15 s. */
  readonly durationMs?: number;
  /** How long no call may end before the run is over although calls are left. Default 10 s: twice the usual lease. */
  readonly settleMs?: number;
  /** Default: the main module of `pnpm torture`. */
  readonly haste?: number;
  readonly gapMs?: number;
  readonly rate?: number;
  /** Share of the sends that are calls of a flow key. Default 0. */
  readonly flowShare?: number;
  /** The rate of the function that is paused from time to time. Default: none. */
  readonly pace?: Rate;
}

/**
 * It is a matter of chance whether a fault meets a call at the step where the bug shows: one run in a few misses it.
 */
const mostRuns = 6;

/**
 * Each bug is caught by its rule. Several files share the bugs, because a run spends more time waiting than working.
 */
export function testCaught(bugs: readonly Bug[]): void {
  describe('the checker catches', { timeout: 900_000 }, () => {
    test.each(bugs)(
      '$bug',
      async ({ mains: files, caughtBy, alsoCaughtBy = [], retryWaitMs = 0, workerEnv = {}, ...rest }) => {
        const urls = Object.entries(files).map(([app, file]) => [app, new URL(`./${file}-main.mjs`, import.meta.url)]);
        const mains = Object.fromEntries(urls) as { readonly [App in AppName]?: URL };
        const rules = [caughtBy].flat();
        const broken = new Set<Rule>();
        const isCaught = (): boolean =>
          rules.some((rule) => broken.has(rule)) && alsoCaughtBy.every((rule) => broken.has(rule));
        for (let run = 1; run <= mostRuns && !isCaught(); run++) {
          const { verdict } = await runTorture({
            durationMs: 15_000,
            flowShare: 0,
            // A lost call never ends, so there is no point in waiting for longer than a lease or a retry takes.
            settleMs: 10_000,
            ...rest,
            limits: { handoverMs: 8_000, retryWaitMs },
            fleet: { mains, workerEnv },
          });
          for (const { rule } of verdict.violations) {
            broken.add(rule);
          }
        }
        expect([isCaught(), [...broken]]).toEqual([true, expect.anything()]);
      },
    );
  });
}
