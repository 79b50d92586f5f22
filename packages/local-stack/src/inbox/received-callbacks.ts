/** The facts in a callback. */
export interface CallbackFacts {
  /** Path and query of the request. */
  target: string;
  callId: string | undefined;
  functionName: string | undefined;
  functionStatus: string | undefined;
  durationSeconds: string | undefined;
  /** Number of retries made. */
  retries: string | undefined;
  contentType: string | undefined;
}

/** One callback as the inbox keeps it. */
export interface ReceivedCallback extends CallbackFacts {
  /** RFC 3339, UTC. */
  receivedAt: string;
  /** Size of the whole body. */
  bytes: number;
  /** The body's first bytes. */
  head: Buffer;
  /** The answer of the inbox. */
  answered: number;
  /** `valid`, `none`, or `invalid` with the reason in brackets. */
  signature: string;
}

/** The last callbacks, newest first. */
export class ReceivedCallbacks {
  readonly #capacity: number;
  readonly #callbacks: ReceivedCallback[] = [];
  #total = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The number of callbacks since the start, including those no longer kept. */
  get total(): number {
    return this.#total;
  }

  get newestFirst(): readonly ReceivedCallback[] {
    return this.#callbacks;
  }

  add(callback: ReceivedCallback): void {
    this.#total++;
    this.#callbacks.unshift(callback);
    if (this.#callbacks.length > this.#capacity) {
      this.#callbacks.pop();
    }
  }
}
