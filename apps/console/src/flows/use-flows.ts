import { api, read } from '../api/index.ts';
import { type Pages, usePages } from '../live/index.ts';
import { type Flow, withoutRepeats } from './flow.ts';

/** The page shows no more rows: its memory is bounded. */
export const mostFlows = 10_000;

/** Pages that a person asks for are larger than the first one, which is read again and again. */
const furtherLimit = 1_000;

/** The broker counts the waiting calls of each key, so a page is read less often than other lists. */
const everyMs = 5_000;

interface FlowPage {
  readonly flows: readonly Flow[];
  readonly cursor?: string | undefined;
}

export interface FoundFlows extends Omit<Pages<FlowPage>, 'pages'> {
  /** Undefined before the first answer. */
  readonly flows: readonly Flow[] | undefined;
}

/** @param name of the function whose keys are listed; undefined for all */
export function useFlows(name: string | undefined): FoundFlows {
  const list = usePages<FlowPage>((before, signal) => readPage(name, before?.cursor, signal), everyMs, [name]);
  const { pages, ...rest } = list;
  return { ...rest, flows: pages.length === 0 ? undefined : withoutRepeats(pages.flatMap(({ flows }) => flows)) };
}

async function readPage(
  name: string | undefined,
  cursor: string | undefined,
  signal: AbortSignal | undefined,
): Promise<FlowPage> {
  const query = {
    ...(name !== undefined && { function: name }),
    ...(cursor !== undefined && { cursor, limit: furtherLimit }),
  };
  return await read(api.GET('/system/flows', { params: { query }, ...(signal !== undefined && { signal }) }));
}
