/** A process that a test has spawned. */
export interface Spawned {
  readonly exited: Promise<unknown>;
  /** The end of its output, with its name. */
  readonly tail: string;
}

interface Noted {
  readonly spawned: Spawned;
  /** On the monotonic clock; infinite while it runs. */
  endedAt: number;
}

let all: Noted[] = [];

/** Remembers a process for the report of a test that fails while it runs, or during which it has ended. */
export function noteSpawned(spawned: Spawned): void {
  const noted: Noted = { spawned, endedAt: Number.POSITIVE_INFINITY };
  all.push(noted);
  const end = (): void => {
    noted.endedAt = performance.now();
  };
  spawned.exited.then(end, end);
}

/** Remembers a process that its package has published on a diagnostics channel. */
export function noteMessage(message: unknown): void {
  noteSpawned(message as Spawned);
}

/** Forgets the processes that have ended, with their output: test files share a process. */
export function forgetEnded(): void {
  all = all.filter(({ endedAt }) => endedAt === Number.POSITIVE_INFINITY);
}

/** The ends of the outputs of all processes that were running at this time of the monotonic clock, or later. */
export function tailsSince(time: number): string {
  return all
    .filter(({ endedAt }) => endedAt >= time)
    .map(({ spawned }) => `${tailOf(spawned)}\n`)
    .join('');
}

function tailOf(spawned: Spawned): string {
  try {
    return spawned.tail;
  } catch (error) {
    // A log in a file is removed with the folder of its stack.
    return `--- a log that cannot be read: ${String(error)}`;
  }
}
