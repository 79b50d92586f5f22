import type { JetStreamManager } from '@nats-io/jetstream';
import { QueueError } from '../../errors.ts';

/**
 * Bytes of messages that may be on their way at once. nats-server closes a connection for which more than 64 MiB wait
 * (`max_pending`), and with it everything else that the process does.
 */
const maxBytes = 48 * 1024 * 1024;
/** JetStream sends a message within JSON: four characters for three bytes. */
const inJson = 4 / 3;
/** Enough to keep the broker busy, where messages are small. */
const maxReads = 64;
/** A broker that is slower than this does not answer: clients are told so, instead of waiting in a line without an end. */
const longestWaitMs = 10_000;

interface Waiting {
  readonly begin: () => void;
}

/**
 * Reads messages, so many at once and no more, the others in their order. How large a message is shows when it is there: the
 * broker sends all of it, also to those who want to know its headers, or whether it exists.
 */
export class ReadTurns {
  readonly #most: number;
  readonly #waitMs: number;
  readonly #waiting = new Set<Waiting>();
  #underWay = 0;

  /** @param maxPayload the largest message, in bytes */
  constructor(maxPayload: number, waitMs = longestWaitMs) {
    this.#most = Math.max(1, Math.min(maxReads, Math.floor(maxBytes / (maxPayload * inJson))));
    this.#waitMs = waitMs;
  }

  /** Throws `QueueError` if it is not its turn in time. */
  async run<T>(read: () => Promise<T>): Promise<T> {
    if (this.#underWay >= this.#most) {
      await this.#turn();
    } else {
      this.#underWay += 1;
    }
    try {
      return await read();
    } finally {
      this.#passOn();
    }
  }

  /** Resolves with the place of one that is done. */
  #turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = (): void => {
        this.#waiting.delete(waiting);
        reject(new QueueError('broker', `others' reads took longer than ${this.#waitMs} ms`));
      };
      const timer = setTimeout(late, this.#waitMs);
      const begin = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const waiting: Waiting = { begin };
      this.#waiting.add(waiting);
    });
  }

  #passOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#underWay -= 1;
    } else {
      this.#waiting.delete(next);
      next.begin();
    }
  }
}

const turnsOf = new WeakMap<JetStreamManager, ReadTurns>();

/** Has the reads by way of a manager take turns. */
export function limitReads(manager: JetStreamManager, maxPayload: number): void {
  turnsOf.set(manager, new ReadTurns(maxPayload));
}

/** A read by way of a manager, when it is its turn. */
export async function inTurn<T>(manager: JetStreamManager, read: () => Promise<T>): Promise<T> {
  const turns = turnsOf.get(manager);
  return turns === undefined ? await read() : await turns.run(read);
}
