import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiProblem } from '../api/index.ts';
import { nextDelayMs } from './next-delay.ts';

export interface LiveOptions<T> {
  /** Time between two readings, in milliseconds; it may depend on what was read last. */
  readonly everyMs: number | ((data: T | undefined) => number);
}

/** A reading that takes longer is reported as late, in milliseconds. */
const lateAfterMs = 2_000;

/** A reading that takes longer is given up, in milliseconds. */
const giveUpAfterMs = 15_000;

/**
 * Something that is read from the gateway again and again, as long as a component shows it and the tab is visible. One
 * reading at a time; after failures, and while the gateway is slow, it is read less often.
 */
export class Live<T> {
  readonly #data = signal<T | undefined>(undefined);
  readonly #problem = signal<ApiProblem | undefined>(undefined);
  readonly #readFrom: (signal: AbortSignal) => Promise<T>;
  readonly #everyMs: (data: T | undefined) => number;
  #users = 0;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading: AbortController | undefined;

  constructor(readFrom: (signal: AbortSignal) => Promise<T>, { everyMs }: LiveOptions<T>) {
    this.#readFrom = readFrom;
    this.#everyMs = typeof everyMs === 'number' ? () => everyMs : everyMs;
  }

  /** What was read last; undefined before the first success. */
  get data(): ReadonlySignal<T | undefined> {
    return this.#data;
  }

  /** Why the last reading failed, or is late; undefined if it succeeded. */
  get problem(): ReadonlySignal<ApiProblem | undefined> {
    return this.#problem;
  }

  /** Begins to read, until the returned function is called. */
  use(): () => void {
    this.#users += 1;
    if (this.#users === 1) {
      document.addEventListener('visibilitychange', this.#onVisibility);
      this.refresh();
    }
    return () => {
      this.#users -= 1;
      if (this.#users === 0) {
        document.removeEventListener('visibilitychange', this.#onVisibility);
        this.#pause();
      }
    };
  }

  /** Reads at once, as after a change. */
  refresh(): void {
    this.#pause();
    if (this.#users > 0 && document.visibilityState === 'visible') {
      void this.#read();
    }
  }

  readonly #onVisibility = (): void => this.refresh();

  #pause(): void {
    clearTimeout(this.#timer);
    this.#reading?.abort();
    this.#reading = undefined;
  }

  async #read(): Promise<void> {
    const reading = new AbortController();
    this.#reading = reading;
    const startedAt = performance.now();
    const late = setTimeout(
      () => this.#fail(new ApiProblem(0, 'late', 'The gateway does not answer in time.')),
      lateAfterMs,
    );
    try {
      const timeout = AbortSignal.timeout(giveUpAfterMs);
      const data = await this.#readFrom(AbortSignal.any([reading.signal, timeout]));
      if (this.#reading === reading) {
        this.#failures = 0;
        this.#problem.value = undefined;
        this.#data.value = data;
      }
    } catch (error) {
      if (this.#reading === reading) {
        this.#failures += 1;
        this.#fail(ApiProblem.from(error));
      }
    } finally {
      clearTimeout(late);
    }
    if (this.#reading === reading) {
      const tookMs = performance.now() - startedAt;
      const delayMs = nextDelayMs({ everyMs: this.#everyMs(this.#data.peek()), tookMs, failures: this.#failures });
      this.#timer = setTimeout(() => void this.#read(), delayMs);
    }
  }

  #fail(problem: ApiProblem): void {
    this.#problem.value = problem;
  }
}
