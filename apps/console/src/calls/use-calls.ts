import { api, read } from '../api/index.ts';
import { type Pages, usePages } from '../live/index.ts';
import type { Call } from './call.ts';
import { type CallFilter, type CallQuery, toParams, toQuery } from './call-filter.ts';

/** The page shows no more rows: its memory is bounded. */
export const mostCalls = 10_000;

interface Page {
  /** A cursor belongs to the filters of its page. */
  readonly query: CallQuery;
  readonly calls: readonly Call[];
  readonly cursor?: string;
  readonly complete: boolean;
}

export interface FoundCalls extends Pick<Pages<Page>, 'problem' | 'more' | 'loading' | 'loadMore'> {
  /** Undefined before the first answer. */
  readonly calls: readonly Call[] | undefined;
  /** What the list was asked for. */
  readonly query: CallQuery;
  /** Whether the last page has all calls that belong on it. */
  readonly complete: boolean;
  /** Calls that have come since further pages are shown; undefined while the list is up to date. */
  readonly newer: number | undefined;
  readonly toNewest: () => void;
}

/** The newest calls of a filter, up to date until further pages are loaded: these continue the list as it was then. */
export function useCalls(filter: CallFilter): FoundCalls {
  const key = toParams(filter).toString();
  const list = usePages<Page>(
    (before, signal) =>
      readPage(before?.query ?? toQuery(filter, Date.now()), {
        ...(before?.cursor !== undefined && { cursor: before.cursor }),
        ...(signal !== undefined && { signal }),
      }),
    3_000,
    [key],
  );
  const { pages, newest, isHeld, problem, more, loading, loadMore } = list;
  return {
    calls: pages.length === 0 ? undefined : pages.flatMap(({ calls }) => calls),
    query: pages[0]?.query ?? {},
    problem,
    more,
    complete: pages.at(-1)?.complete ?? true,
    loading,
    loadMore,
    newer: isHeld ? countNewer(newest, pages[0]) : undefined,
    toNewest: list.restart,
  };
}

async function readPage(
  query: CallQuery,
  { cursor, signal }: { cursor?: string; signal?: AbortSignal },
): Promise<Page> {
  const answer = await read(
    api.GET('/system/calls', {
      params: { query: { ...query, ...(cursor !== undefined && { cursor }) } },
      ...(signal !== undefined && { signal }),
    }),
  );
  return { query, ...answer };
}

function countNewer(newest: Page | undefined, first: Page | undefined): number {
  const since = first?.calls[0]?.createdAt ?? '';
  return newest?.calls.filter(({ createdAt }) => createdAt > since).length ?? 0;
}
