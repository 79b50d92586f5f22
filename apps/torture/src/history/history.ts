import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { HistoryEvent } from './event.ts';

/** What is known of an event but its time. */
export type Happening = HistoryEvent extends infer E ? (E extends { at: number } ? Omit<E, 'at'> : never) : never;

/** Where what happens is written. */
export interface Recorder {
  record(happening: Happening): void;
}

/** For runs that nobody judges. */
export const nowhere: Recorder = { record: () => {} };

/** Keeps all events of a run: in memory for the checker, and in a file, one JSON object a line, for people. */
export class History implements Recorder {
  readonly events: HistoryEvent[] = [];
  readonly #file: WriteStream;

  constructor(path: string) {
    this.#file = createWriteStream(path);
  }

  record(happening: Happening, at = performance.timeOrigin + performance.now()): void {
    if (this.#file.writableEnded) {
      return; // what comes after the verdict changes nothing
    }
    const event = { at, ...happening } as HistoryEvent;
    this.events.push(event);
    this.#file.write(`${JSON.stringify(event)}\n`);
  }

  /** Resolves when the file is complete. */
  async close(): Promise<void> {
    this.#file.end();
    await once(this.#file, 'close');
  }
}
