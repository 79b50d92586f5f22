import type { Rate } from '@asyncfn/units';
import { type Static, Type } from 'typebox';
import { functionTokens } from '../call/index.ts';
import { createRecordCodec } from '../records/index.ts';

const Count = Type.Integer({ minimum: 0, maximum: 1_000_000 });
/** How many starts were used, and when at the latest. */
const Used = Type.Array(Type.Tuple([Type.Number(), Count]));

/**
 * The ledger of a rate as it is stored: which holder has how many starts, and which starts were used. Times are Unix
 * times in milliseconds by the broker's clock. What its writer says of itself is relative to the moment at which the
 * broker stores the message, because no process knows that moment before.
 */
const StoredLedger = Type.Object({
  v: Type.Literal(1),
  holders: Type.Record(
    Type.String(),
    Type.Object({ held: Count, until: Type.Number(), short: Type.Optional(Type.Literal(true)) }),
  ),
  used: Used,
  by: Type.Object({
    id: Type.String(),
    held: Count,
    /** The starts are its own for so long; until then it renews the lease or uses none of them any more. */
    leaseMs: Type.Number({ minimum: 0, maximum: 5_000 }),
    short: Type.Optional(Type.Literal(true)),
    /** How long ago each start was used; negative for one that may still be on its way to the function. */
    used: Used,
  }),
});

export type StoredLedger = Static<typeof StoredLedger>;
export type UsedStarts = readonly (readonly [atMs: number, count: number])[];

export const ledgerCodec = createRecordCodec('Asyncfn-Rate', StoredLedger);

/** The starts of one holder. */
interface Holding {
  readonly held: number;
  /** When its lease ends. */
  readonly until: number;
  /** Whether it has calls that it could begin with more starts. */
  readonly short: boolean;
}

/**
 * The ledger of a rate. A rate of 20/1s has 20 starts. Each is used by one attempt, and can be used again once the period
 * has passed: so no window of that length has more than 20 attempts.
 */
export interface Ledger {
  readonly holders: ReadonlyMap<string, Holding>;
  readonly used: UsedStarts;
}

export const emptyLedger: Ledger = { holders: new Map(), used: [] };

/**
 * Servers of a cluster may differ by so much, in milliseconds: the lease of a holder that gives no sign of life ends so
 * much later for all others.
 */
const leaseMarginMs = 1_000;

/** The longest lease of a share, in milliseconds. */
export const longestLeaseMs = 5_000;

/** `rates.<namespace>.<name>`: throws if a part could break out of its token (P7). */
export function ledgerSubject(functionName: string): string {
  return `rates.${functionTokens(functionName)}`;
}

/**
 * Times that are too far ahead are from before the clock of the broker was set back, and are cut.
 * @param storedAtMs when the broker stored it, rounded up
 */
export function toLedger(stored: StoredLedger, storedAtMs: number): Ledger {
  const { by } = stored;
  const holders = new Map<string, Holding>();
  for (const [id, { held, until, short = false }] of Object.entries(stored.holders)) {
    holders.set(id, { held, until: Math.min(until, storedAtMs + longestLeaseMs), short });
  }
  holders.set(by.id, { held: by.held, until: storedAtMs + by.leaseMs, short: by.short ?? false });
  const own = by.used.map(([agoMs, count]) => [storedAtMs - agoMs, count] as const);
  const others = stored.used.map(([at, count]) => [Math.min(at, storedAtMs + leaseMarginMs), count] as const);
  return { holders, used: [...others, ...own] };
}

/**
 * How many starts are neither held by another nor still in their period; less than the holder has if the rate has been
 * lowered.
 * @param now no later than it is by the broker's clock
 * @param id the holder whose own starts do not count
 */
export function freeStarts({ holders, used }: Ledger, { count, periodMs }: Rate, now: number, id?: string): number {
  let free = count;
  for (const [holder, { held, until }] of holders) {
    // It may have used each of them at the end of its lease.
    free -= holder === id || now >= until + periodMs + leaseMarginMs ? 0 : held;
  }
  for (const [at, starts] of used) {
    free -= now >= at + periodMs ? 0 : starts;
  }
  return free;
}

/** Whether more calls could begin than the rate allows. */
export function isExhausted(ledger: Ledger, rate: Rate, now: number): boolean {
  const isShort = [...ledger.holders.values()].some(({ short, until }) => short && now < until);
  return isShort || freeStarts(ledger, rate, now) < 1;
}

/**
 * How many starts a holder may keep if another needs some: an equal part for each that lives, and at least one. All that
 * there are if no other has fewer than its part and needs more.
 */
export function fairShare({ holders }: Ledger, { count }: Rate, now: number, id: string): number {
  const others = [...holders].filter(([holder, { until }]) => holder !== id && now < until).map(([, each]) => each);
  const part = Math.max(1, Math.floor(count / (others.length + 1)));
  return others.some(({ short, held }) => short && held < part) ? part : count;
}

/** Whether another holder that lives has starts. */
export function othersHold({ holders }: Ledger, now: number, id: string): boolean {
  return [...holders].some(([holder, { held, until }]) => holder !== id && held > 0 && now < until);
}

/** When starts of others may become free, if none is given back before; undefined if none is taken. */
export function nextFreeAt({ holders, used }: Ledger, { periodMs }: Rate, now: number): number | undefined {
  const ofHolders = [...holders.values()].filter(({ held }) => held > 0).map(({ until }) => until + leaseMarginMs);
  const times = [...ofHolders, ...used.map(([at]) => at)].map((at) => at + periodMs).filter((at) => at > now);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** What replaces the ledger. Holders that are gone and starts that are free again are left out. */
export function nextLedger(ledger: Ledger, { periodMs }: Rate, now: number, by: StoredLedger['by']): StoredLedger {
  const holders: StoredLedger['holders'] = {};
  for (const [id, { held, until, short }] of ledger.holders) {
    const isOver = now >= until + periodMs + leaseMarginMs || (held === 0 && now >= until);
    if (id !== by.id && !isOver) {
      holders[id] = { held, until, ...(short && { short: true as const }) };
    }
  }
  const used = ledger.used.filter(([at]) => now < at + periodMs);
  return { v: 1, holders, used: inSteps(used, periodMs), by: { ...by, used: inSteps(by.used, -periodMs) } };
}

/**
 * Rounds times to hundredths of the period, so that a ledger stays small: up, to be no earlier than the use, or down if
 * they say how long ago it was.
 */
function inSteps(used: UsedStarts, periodMs: number): [number, number][] {
  const stepMs = Math.max(1, Math.floor(Math.abs(periodMs) / 100));
  const round = periodMs > 0 ? Math.ceil : Math.floor;
  const counts = new Map<number, number>();
  for (const [at, count] of used) {
    const step = round(at / stepMs) * stepMs;
    counts.set(step, (counts.get(step) ?? 0) + count);
  }
  return [...counts].toSorted(([one], [other]) => one - other);
}
