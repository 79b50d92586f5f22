import { asQueueError } from '../connecting/index.ts';
import { bodyStream, type QueueTopology } from '../layout/index.ts';

interface BodyRoomOptions {
  readonly topology: Pick<QueueTopology, 'manager'>;
  /** Most bytes of all stored bodies; undefined is no limit. */
  readonly maxBytes: number | undefined;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** The room of one upload. */
export interface RoomShare {
  /**
   * Counts bytes that are about to be stored.
   * @returns false if the body is longer than announced and there is no room for more
   */
  store(bytes: number): boolean;
  /** The upload has ended. Legal any number of times. */
  end(): void;
}

/** How old the broker's last report may be, in milliseconds. */
const freshMs = 250;

/**
 * Decides whether the store of bodies has room for one more. The broker says what is stored; what this process is storing
 * counts from the moment that it is admitted. Others that are storing at the same time may together exceed the limit.
 */
export class BodyRoom {
  readonly #options: BodyRoomOptions;
  readonly #now: () => number;
  #reported = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;
  /** Stored by this process since the last report. */
  #added = 0;
  /** Announced to this process, and not stored yet. */
  #awaited = 0;

  constructor(options: BodyRoomOptions) {
    this.#options = options;
    this.#now = options.now ?? performance.now.bind(performance);
  }

  get maxBytes(): number | undefined {
    return this.#options.maxBytes;
  }

  /**
   * @param bytes announced length of the body; 0 if it is not known
   * @returns undefined if there is no room. Throws `QueueError` if the broker does not say
   */
  async admit(bytes: number): Promise<RoomShare | undefined> {
    if (this.#options.maxBytes !== undefined && this.#now() - this.#reportedAt > freshMs) {
      await this.refresh();
    }
    return this.#hasRoom(bytes) ? this.#open(bytes) : undefined;
  }

  /** Asks the broker how many bytes are stored. Throws `QueueError`. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** As far as this process knows. */
  get usedBytes(): number {
    return this.#reported + this.#added + this.#awaited;
  }

  #hasRoom(bytes: number): boolean {
    const { maxBytes } = this.#options;
    return maxBytes === undefined || this.usedBytes + bytes <= maxBytes;
  }

  #open(announced: number): RoomShare {
    let awaited = announced;
    this.#awaited += announced;
    const take = (bytes: number): void => {
      awaited -= bytes;
      this.#awaited -= bytes;
    };
    return {
      store: (bytes) => {
        const expected = Math.min(bytes, awaited);
        if (!this.#hasRoom(bytes - expected)) {
          return false;
        }
        take(expected);
        this.#added += bytes;
        return true;
      },
      end: () => take(awaited),
    };
  }

  async #refresh(): Promise<void> {
    const before = this.#added;
    try {
      const { state } = await this.#options.topology.manager.streams.info(bodyStream);
      this.#reported = state.bytes;
      this.#added -= before;
      this.#reportedAt = this.#now();
    } catch (error) {
      throw asQueueError(error, 'the size of the store of bodies cannot be read');
    }
  }
}
