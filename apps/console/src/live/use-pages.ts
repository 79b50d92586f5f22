import { useState } from 'preact/hooks';
import type { ApiProblem } from '../api/index.ts';
import { useAction } from '../ui/index.ts';
import { useLiveOf } from './use-live.ts';

interface AnyPage {
  /** Where the next page begins; undefined for the last one. */
  readonly cursor?: string | undefined;
}

/**
 * Reads a page.
 * @param before the page that it continues; undefined for the first page
 */
export type ReadPage<P> = (before: P | undefined, signal: AbortSignal | undefined) => Promise<P>;

export interface Pages<P> {
  /** Those that are shown, the first one first. Empty before the first answer. */
  readonly pages: readonly P[];
  /** The first page as it is now. */
  readonly newest: P | undefined;
  /** Whether the list stands still, because further pages are shown. */
  readonly isHeld: boolean;
  readonly problem: ApiProblem | undefined;
  /** Whether there may be further entries to load. */
  readonly more: boolean;
  readonly loading: boolean;
  readonly loadMore: () => void;
  /** Shows the first page alone, up to date. */
  readonly restart: () => void;
}

/** A list that is up to date until further pages are loaded: these continue it as it was then. */
export function usePages<P extends AnyPage>(
  readPage: ReadPage<P>,
  everyMs: number,
  dependencies: readonly unknown[],
): Pages<P> {
  const live = useLiveOf((signal) => readPage(undefined, signal), { everyMs }, dependencies);
  const [held, setHeld] = useState<readonly P[] | undefined>(undefined);
  const newest = live.data.value;
  const pages = held ?? (newest === undefined ? [] : [newest]);
  const last = pages.at(-1);
  const load = useAction(async () => {
    if (last?.cursor !== undefined) {
      setHeld([...pages, await readPage(last, undefined)]);
    }
  });
  return {
    pages,
    newest,
    isHeld: held !== undefined,
    problem: live.problem.value,
    more: last?.cursor !== undefined,
    loading: load.busy,
    loadMore: load.run,
    restart: () => {
      setHeld(undefined);
      live.refresh();
    },
  };
}
