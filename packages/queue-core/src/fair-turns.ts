import { QueueError } from './errors.ts';
import { RoundRobin } from './round-robin.ts';

export interface FairTurnsOptions {
  /** How many are under way at once. */
  readonly max: number;
  /** The same for each submitter with a name. Default: all. */
  readonly maxPerSubmitter?: number;
  /** The longest that one waits for its turn, in milliseconds. Default: without a limit. */
  readonly waitMs?: number;
}

interface Waiting {
  readonly begin: () => void;
}

/** Runs requests to the broker, a limited number at once. The others wait, and submitters take turns. */
export class FairTurns {
  readonly #options: FairTurnsOptions;
  readonly #waiting = new RoundRobin<Waiting>();
  /** By submitter. */
  readonly #underWay = new Map<string, number>();
  #count = 0;

  constructor(options: FairTurnsOptions) {
    this.#options = options;
  }

  /** How many of a submitter wait for their turn. */
  waitingOf(submitter: string): number {
    return this.#waiting.countOf(submitter);
  }

  /**
   * Throws `QueueError` if its turn does not come in time. Work that may begin at once begins before this returns.
   * @param submitter the submitter of the work. Default: all without a name, who count as one
   */
  async run<T>(work: () => Promise<T>, submitter = ''): Promise<T> {
    if (this.#count < this.#options.max && this.#mayBegin(submitter)) {
      this.#change(submitter, 1);
    } else {
      await this.#turn(submitter);
    }
    try {
      return await work();
    } finally {
      this.#change(submitter, -1);
      this.#beginNext();
    }
  }

  /** Resolves when it counts as begun. */
  #turn(submitter: string): Promise<void> {
    const { waitMs } = this.#options;
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        clearTimeout(timer);
        this.#change(submitter, 1);
        resolve();
      };
      const waiting: Waiting = { begin };
      const late = (): void => {
        this.#waiting.delete(waiting, submitter);
        reject(new QueueError('broker', `the ones before it took longer than ${waitMs} ms`));
      };
      const timer = waitMs === undefined ? undefined : setTimeout(late, waitMs);
      this.#waiting.add(waiting, submitter);
    });
  }

  #beginNext(): void {
    while (this.#count < this.#options.max) {
      const next = this.#waiting.take((submitter) => this.#mayBegin(submitter));
      if (next === undefined) {
        return;
      }
      next.begin();
    }
  }

  #mayBegin(submitter: string): boolean {
    const { max, maxPerSubmitter = max } = this.#options;
    return submitter === '' || (this.#underWay.get(submitter) ?? 0) < maxPerSubmitter;
  }

  #change(submitter: string, by: 1 | -1): void {
    this.#count += by;
    const count = (this.#underWay.get(submitter) ?? 0) + by;
    if (count === 0) {
      this.#underWay.delete(submitter);
    } else {
      this.#underWay.set(submitter, count);
    }
  }
}
