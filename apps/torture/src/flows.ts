import { integerBelow, pickFrom, type Random } from '@asyncfn/testkit';
import { formatDuration, formatRate, type Rate } from '@asyncfn/units';

/** How many calls of a flow key may run at once, and how often they may begin. */
export interface FlowLimits {
  readonly parallelism: number;
  readonly rate?: Rate | undefined;
}

/** The flow key of a call, and what `X-Flow-Control` says: nothing if it names no limit. */
export interface PlannedFlow extends Partial<FlowLimits> {
  readonly key: string;
}

/** A call, as far as its limits depend on it. */
interface KeyedCall {
  readonly function: string;
  readonly flow?: PlannedFlow;
}

/** What the functions say about their keys: this outranks what callers name. */
const settings: Readonly<Record<string, FlowLimits | undefined>> = {
  bulk: { parallelism: 2, rate: { count: 4, periodMs: 2_000 } },
};

/** Few keys, so that calls wait for each other. */
const keysOfKind = 4;

/** What callers name, by the first part of their keys. Calls of one key always name the same. */
const kinds = {
  order: {},
  pair: { parallelism: 2 },
  shop: { parallelism: 3, rate: { count: 3, periodMs: 3_000 } },
  meter: { rate: { count: 3, periodMs: 1_000 } },
} as const satisfies Record<string, Partial<FlowLimits>>;

/** Many calls leave it to the function, or to the default: one after the other. */
const likely = ['order', 'order', 'pair', 'shop', 'meter'] as const;

export function randomFlow(random: Random): PlannedFlow {
  const kind = pickFrom(random, likely);
  return { key: `${kind}-${integerBelow(random, keysOfKind)}`, ...kinds[kind] };
}

/** The limits that hold for the key of a call; undefined for a call without one. */
export function flowLimitsOf({ function: name, flow }: KeyedCall): FlowLimits | undefined {
  return flow && { parallelism: 1, ...flow, ...settings[name] };
}

/** `flow` of a function in a functions file; undefined for none. */
export function flowSettingsOf(name: string): { readonly parallelism: number; readonly rate?: string } | undefined {
  const { parallelism, rate } = settings[name] ?? {};
  return parallelism === undefined ? undefined : { parallelism, ...(rate && { rate: formatRate(rate) }) };
}

/** `X-Flow-Control`; undefined if nothing is named. */
export function formatControl({ parallelism, rate }: PlannedFlow): string | undefined {
  const parts = [
    ...(parallelism === undefined ? [] : [`parallelism=${parallelism}`]),
    ...(rate === undefined ? [] : [`rate=${rate.count}`, `period=${formatDuration(rate.periodMs)}`]),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}
