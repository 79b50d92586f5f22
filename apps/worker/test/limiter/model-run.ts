import { ConcurrencyLimiter, type SentCall } from '../../src/limiter/concurrency-limiter.ts';

/** The function of a model run. Times are milliseconds of virtual time. */
export interface ModelFunction {
  /** How many calls it takes at once, at a given time. */
  readonly capacity: (now: number) => number;
  /** How long it takes for a call. */
  readonly durationMs: (random: () => number) => number;
  /** How long it takes to reject one. Default 2. */
  readonly rejectionMs?: number;
}

export interface ModelRunOptions {
  readonly target: ModelFunction;
  /** When each worker begins. Default: one, at 0. */
  readonly workersStartAt?: readonly number[];
  /** Slots of each worker. Default 100. */
  readonly slots?: number;
  /** Calls that wait at the beginning. Default: infinitely many. */
  readonly calls?: number;
  readonly untilMs: number;
  /** Time from the end of a call until its slot has the next one. Default 1.5. */
  readonly turnaroundMs?: number;
  readonly random?: () => number;
  /** Sampled every 10 ms. */
  readonly onSample?: (
    now: number,
    workers: readonly { readonly limit: number; readonly atFunction: number }[],
  ) => void;
}

export interface ModelRunResult {
  readonly requests: number;
  readonly rejections: number;
  readonly done: number;
  /** When the last call ended. */
  readonly doneAtMs: number;
  /** How many rejections there were, and the most for one call. */
  readonly mostRejectionsOfACall: number;
}

interface Worker {
  readonly limiter: ConcurrencyLimiter;
  readonly startsAt: number;
  inHand: number;
  /** Number of rejections of each call that waits for another attempt. */
  readonly held: number[];
}

/** Runs workers, each with a limiter, against a function that counts, all in virtual time. */
export function modelRun(options: ModelRunOptions): ModelRunResult {
  return new ModelRun(options).run();
}

class ModelRun {
  readonly #options: ModelRunOptions;
  readonly #events = new EventQueue();
  readonly #workers: Worker[];
  #waiting: number;
  #busy = 0;
  readonly #result = { requests: 0, rejections: 0, done: 0, doneAtMs: 0, mostRejectionsOfACall: 0 };

  constructor(options: ModelRunOptions) {
    this.#options = options;
    this.#waiting = options.calls ?? Number.POSITIVE_INFINITY;
    this.#workers = (options.workersStartAt ?? [0]).map((startsAt) => {
      return { limiter: new ConcurrencyLimiter(), startsAt, inHand: 0, held: [] };
    });
  }

  run(): ModelRunResult {
    for (const worker of this.#workers) {
      this.#events.add(worker.startsAt, (now) => this.#tick(worker, now));
    }
    this.#events.add(0, (now) => this.#sample(now));
    this.#events.runUntil(this.#options.untilMs, () => this.#result.done >= (this.#options.calls ?? Infinity));
    return this.#result;
  }

  /** Takes the place of a real worker's timers. */
  #tick(worker: Worker, now: number): void {
    this.#fill(worker, now);
    this.#events.add(now + 5, (later) => this.#tick(worker, later));
  }

  #sample(now: number): void {
    this.#options.onSample?.(
      now,
      this.#workers.map(({ limiter }) => ({ limit: limiter.limit, atFunction: limiter.atFunction })),
    );
    this.#events.add(now + 10, (later) => this.#sample(later));
  }

  /** Held calls first, then new ones, as many as the limit and the slots allow. */
  #fill(worker: Worker, now: number): void {
    const { limiter } = worker;
    limiter.step(now);
    const slots = this.#options.slots ?? 100;
    while (limiter.atFunction < limiter.allowed(now)) {
      const again = worker.held.shift();
      if (again === undefined && (this.#waiting === 0 || worker.inHand >= slots || worker.inHand >= limiter.limit)) {
        break;
      }
      if (again === undefined) {
        this.#waiting -= 1;
        worker.inHand += 1;
      }
      this.#send(worker, again ?? 0, now);
    }
    if (worker.inHand >= limiter.limit && worker.inHand < slots && this.#waiting > 0) {
      limiter.fallsShort();
    }
  }

  #send(worker: Worker, rejections: number, now: number): void {
    const { target, random = Math.random } = this.#options;
    const sent = worker.limiter.send(now);
    this.#result.requests += 1;
    if (this.#busy >= target.capacity(now)) {
      const answerAt = now + (target.rejectionMs ?? 2) * (0.8 + 0.4 * random());
      this.#events.add(answerAt, (at) => this.#rejected(worker, sent, rejections + 1, at));
      return;
    }
    this.#busy += 1;
    this.#events.add(now + target.durationMs(random), (at) => this.#ack(worker, sent, at));
  }

  #rejected(worker: Worker, sent: SentCall, rejections: number, now: number): void {
    this.#result.rejections += 1;
    this.#result.mostRejectionsOfACall = Math.max(this.#result.mostRejectionsOfACall, rejections);
    worker.limiter.rejected(sent, now);
    worker.held.push(rejections);
  }

  #ack(worker: Worker, sent: SentCall, now: number): void {
    this.#busy -= 1;
    this.#result.done += 1;
    this.#result.doneAtMs = now;
    worker.limiter.took(sent, now);
    this.#fill(worker, now);
    this.#events.add(now + (this.#options.turnaroundMs ?? 1.5), (later) => {
      worker.inHand -= 1;
      this.#fill(worker, later);
    });
  }
}

type ModelEvent = (now: number) => void;

/** The next event, in the order of time, and then in the order of adding. */
class EventQueue {
  readonly #heap: { at: number; order: number; run: ModelEvent }[] = [];
  #order = 0;

  add(at: number, run: ModelEvent): void {
    this.#order += 1;
    const entry = { at, order: this.#order, run };
    let index = this.#heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#before(index, parent)) {
        break;
      }
      this.#swap(index, parent);
      index = parent;
    }
  }

  runUntil(limit: number, done: () => boolean): void {
    for (let next = this.#pop(); next !== undefined && next.at <= limit && !done(); next = this.#pop()) {
      next.run(next.at);
    }
  }

  #pop(): { at: number; run: ModelEvent } | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (top === undefined || last === undefined || top === last) {
      return top;
    }
    this.#heap[0] = last;
    for (let index = 0; ; ) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < this.#heap.length && this.#before(child, least)) {
          least = child;
        }
      }
      if (least === index) {
        return top;
      }
      this.#swap(index, least);
      index = least;
    }
  }

  #before(a: number, b: number): boolean {
    const [first, second] = [this.#heap[a]!, this.#heap[b]!];
    return first.at < second.at || (first.at === second.at && first.order < second.order);
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }
}
