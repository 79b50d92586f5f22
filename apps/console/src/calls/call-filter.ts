import type { paths } from '../api/index.ts';
import type { CallStatus } from './call.ts';

export type CallQuery = NonNullable<paths['/system/calls']['get']['parameters']['query']>;

export const textFilters = ['function', 'label', 'flowKey', 'queue', 'parent', 'batch'] as const;
export type TextFilter = (typeof textFilters)[number];

/** How far back a search goes, counted from the moment of the search, in milliseconds. */
export const spans: Readonly<Record<string, number>> = { '15m': 900_000, '1h': 3_600_000, '24h': 86_400_000 };

/** What the page's URL asks for. What is not valid goes to the gateway as it is, which says what is wrong with it. */
export interface CallFilter {
  readonly texts: Readonly<Partial<Record<TextFilter, string>>>;
  readonly statuses: readonly string[];
  /** Name of a span; it goes with neither `from` nor `to`. */
  readonly within?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export const noFilter: CallFilter = { texts: {}, statuses: [] };

export function parseFilter(params: URLSearchParams): CallFilter {
  const text = (name: string): string | undefined => params.get(name)?.trim() || undefined;
  const texts = textFilters.flatMap((name) => {
    const value = text(name);
    return value === undefined ? [] : [[name, value]];
  });
  return {
    texts: Object.fromEntries(texts),
    statuses: [...new Set(params.getAll('status').filter((status) => status !== ''))],
    within: text('within'),
    from: text('from'),
    to: text('to'),
  };
}

/** The query of the page's URL: the same filter always has the same. */
export function toParams({ texts, statuses, within, from, to }: CallFilter): URLSearchParams {
  const times = within === undefined ? { from, to } : { within };
  const entries: readonly (readonly [string, string | undefined])[] = [
    ...textFilters.map((name) => [name, texts[name]] as const),
    ...statuses.map((status) => ['status', status] as const),
    ...Object.entries(times),
  ];
  return new URLSearchParams(entries.flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

/** The query of the API, at a moment. */
export function toQuery({ texts, statuses, within, from, to }: CallFilter, nowMs: number): CallQuery {
  const spanMs = within === undefined ? undefined : spans[within];
  const since = spanMs === undefined ? (within ?? from) : new Date(nowMs - spanMs).toISOString();
  return {
    ...texts,
    ...(statuses.length > 0 && { status: statuses as NonNullable<CallQuery['status']> }),
    ...(since !== undefined && { from: since }),
    ...(within === undefined && to !== undefined && { to }),
  };
}

export type CancelBody = paths['/system/calls/cancel']['post']['requestBody']['content']['application/json'];

type OpenStatus = Extract<CallStatus, 'scheduled' | 'queued' | 'running' | 'retrying'>;

const openStatuses: readonly string[] = ['scheduled', 'queued', 'running', 'retrying'] satisfies readonly OpenStatus[];

/**
 * What cancels the open calls that a query selects; undefined if that cannot be said to the API: it takes no flow key, parent
 * or batch, and at least one filter.
 *
 * @param newestAt when the newest call that is shown was accepted: later ones are left alone
 */
export function toCancelBody(query: CallQuery, newestAt: string | undefined): CancelBody | undefined {
  const { status, flowKey, parent, batch, ...filters } = query;
  const open = status?.filter((each): each is OpenStatus => openStatuses.includes(each));
  const isFiltered = status !== undefined || Object.keys(filters).length > 0;
  const isUnknown = [flowKey, parent, batch].some((each) => each !== undefined);
  if (isUnknown || !isFiltered || open?.length === 0 || newestAt === undefined) {
    return undefined;
  }
  return { to: newestAt, ...filters, ...(open !== undefined && { status: open }) };
}

export interface QuickFilter {
  readonly title: string;
  readonly statuses: readonly string[];
  readonly within?: string;
}

export const quickFilters: readonly QuickFilter[] = [
  { title: 'Failed in the last hour', statuses: ['failed', 'expired'], within: '1h' },
  { title: 'Running now', statuses: ['running'] },
  { title: 'Waiting for a retry', statuses: ['retrying'] },
  { title: 'Waiting for a worker', statuses: ['queued'] },
];

/** Function, label and so on stay as they are. */
export function withQuick(filter: CallFilter, { statuses, within }: QuickFilter): CallFilter {
  return { texts: filter.texts, statuses, within };
}

export function isSame(one: CallFilter, other: CallFilter): boolean {
  return toParams(one).toString() === toParams(other).toString();
}
