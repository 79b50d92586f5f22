import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { HistoryEvent } from './event.ts';

/** An event without its time. */
export type Happening = HistoryEvent extends infer E ? (E extends { at: number } ? Omit<E, 'at'> : never) : never;

/** Records events. */
export interface Recorder {
  record(happening: Happening): void;
}

/** Records nothing, for runs without a verdict. */
export const nowhere: Recorder = { record: () => {} };

/** Keeps all events of a run: in memory for the checker, and in a file for people, one JSON object a line. */
export class History implements Recorder {
  readonly events: HistoryEvent[] = [];
  readonly #file: WriteStream;

  constructor(path: string) {
    this.#file = createWriteStream(path);
  }

  record(happening: Happening, at = performance.timeOrigin + performance.now()): void {
    if (this.#file.writableEnded) {
      return; // events after the verdict change nothing
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
