import type { CallSearch } from '@asyncfn/queue-core/jetstream';
import { type Component, every, type Logger } from '@asyncfn/service-kit';

/** How often the indexes are tended, in milliseconds: what is stored in between is read by the next search. */
const tendMs = 2_000;

/** Keeps the indexes of searches that are used, and drops the others. */
export function createSearchComponent(
  search: Pick<CallSearch, 'tend'>,
  calls: { readonly available: boolean },
  logger: Logger,
): Component {
  const tend = async (signal: AbortSignal): Promise<void> => {
    if (calls.available) {
      await search.tend(signal);
    }
  };
  const onError = (err: unknown): void => logger.warn({ err }, 'the index of ended calls cannot be read yet');
  return { name: 'search', start: (signal) => void every(tendMs, tend, { signal, onError }) };
}
