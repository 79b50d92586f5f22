import type { CallPurge, PurgeTarget } from '@asyncfn/queue-core/jetstream';
import { after, type Logger } from '@asyncfn/service-kit';

/** The progress of a purge. */
export interface PurgeProgress {
  readonly purged: number;
  /** False while some of the calls that waited at its start are left. */
  readonly done: boolean;
}

interface Job {
  readonly finished: Promise<number>;
  purged: number;
}

interface PurgeJobsOptions {
  readonly purge: Pick<CallPurge, 'purge'>;
  readonly logger: Logger;
  /** Aborts running purges. */
  readonly stopping: AbortSignal;
  /** How long a request waits for its purge, in milliseconds. Default 5,000. */
  readonly patienceMs?: number;
}

/**
 * Purges that may take longer than a request. A request for the same target joins a running purge and reports its
 * progress; if the purge ended with its gateway, the request starts it again.
 */
export class PurgeJobs {
  readonly #options: PurgeJobsOptions;
  readonly #jobs = new Map<string, Job>();

  constructor(options: PurgeJobsOptions) {
    this.#options = options;
  }

  /** Rejects with `QueueError` if the broker fails within the time of the request. */
  async run(target: PurgeTarget): Promise<PurgeProgress> {
    const key = JSON.stringify([target.queue, target.function]);
    const job = this.#jobs.get(key) ?? this.#start(key, target);
    return new Promise((resolve, reject) => {
      const stopTimer = after(this.#options.patienceMs ?? 5_000, () => resolve({ purged: job.purged, done: false }));
      job.finished.finally(stopTimer).then((purged) => resolve({ purged, done: true }), reject);
    });
  }

  #start(key: string, target: PurgeTarget): Job {
    const { purge, logger, stopping } = this.#options;
    const startedAt = performance.now();
    const onProgress = (purged: number): void => {
      job.purged = purged;
    };
    const finished = purge.purge(target, { signal: stopping, onProgress }).finally(() => this.#jobs.delete(key));
    const job: Job = { finished, purged: 0 };
    this.#jobs.set(key, job);
    finished.then(
      (purged) =>
        logger.info({ ...target, purged, durationMs: Math.round(performance.now() - startedAt) }, 'calls purged'),
      (err: unknown) => logger.warn({ ...target, purged: job.purged, err }, 'purge stopped early'),
    );
    return job;
  }
}
