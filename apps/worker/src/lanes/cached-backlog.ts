import type { Backlog, BacklogReader } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';

export interface CachedBacklogOptions {
  readonly reader: Pick<BacklogReader, 'read'>;
  /** The queues to count; undefined is all. */
  readonly queues: readonly string[] | undefined;
  readonly logger: Logger;
  /** How long a count is reused, in milliseconds. Default 1,000. */
  readonly keepMs?: number;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * Counts waiting calls for metrics: one count at the broker serves all gauges of a scrape, and all scrapes within a
 * second. Undefined while the broker does not answer.
 */
export function createCachedBacklog(options: CachedBacklogOptions): () => Promise<Backlog | undefined> {
  const { reader, queues, logger, keepMs = 1_000, now = performance.now.bind(performance) } = options;
  let last: { readonly at: number; readonly found: Promise<Backlog | undefined> } | undefined;
  return () => {
    if (last === undefined || now() - last.at >= keepMs) {
      const found = reader
        .read((queue) => queues?.includes(queue) ?? true)
        .catch((err: unknown) => {
          logger.debug({ err }, 'the backlog cannot be counted now');
          return undefined;
        });
      last = { at: now(), found };
    }
    return last.found;
  };
}
