import { useEffect, useMemo } from 'preact/hooks';
import { Live, type LiveOptions } from './live.ts';

/** Keeps something up to date while the component is shown. */
export function useLive<T>(live: Live<T>): Live<T> {
  useEffect(() => live.use(), [live]);
  return live;
}

/** As `useLive`, for something that depends on what the page shows, such as one function. */
export function useLiveOf<T>(
  readFrom: (signal: AbortSignal) => Promise<T>,
  options: LiveOptions<T>,
  dependencies: readonly unknown[],
): Live<T> {
  // Another reader only if what it depends on has changed.
  const live = useMemo(() => new Live(readFrom, options), dependencies);
  return useLive(live);
}
