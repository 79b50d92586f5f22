/** What a callback says about itself. */
export interface CallbackFacts {
  /** Path and query it was posted to. */
  target: string;
  callId: string | undefined;
  functionName: string | undefined;
  functionStatus: string | undefined;
  durationSeconds: string | undefined;
  /** Retries made. */
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
  /** What the inbox answered. */
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

  /** All there were since the start, also those that are no longer kept. */
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
