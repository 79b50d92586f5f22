import { sleep } from '@asyncfn/service-kit';

/**
 * Runs the same work once for all callers that ask for it within a short time. A caller that asks while the work already runs gets
 * a run of its own, because the running one may have read too early.
 */
export class GatheredRuns<T> {
  readonly #gatherMs: number;
  readonly #gathering = new Map<string, Promise<T>>();

  constructor(gatherMs: number) {
    this.#gatherMs = gatherMs;
  }

  run(key: string, work: () => Promise<T>): Promise<T> {
    const gathering = this.#gathering.get(key);
    if (gathering !== undefined) {
      return gathering;
    }
    const started = this.#begin(key, work);
    this.#gathering.set(key, started);
    return started;
  }

  async #begin(key: string, work: () => Promise<T>): Promise<T> {
    await sleep(this.#gatherMs);
    this.#gathering.delete(key);
    return work();
  }
}
