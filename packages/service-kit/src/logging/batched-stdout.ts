import type { DestinationStream } from 'pino';

/** pino stores the level of each line here before writing it, if the destination has this symbol. */
const metadata = Symbol.for('pino.metadata');

/** From this level on a line is worth a write of its own: pino's number of `warn`. */
const urgentLevel = 40;

interface BatchedStdoutOptions {
  /** Takes one line or several. */
  readonly out: DestinationStream;
  /** Calls back before the process ends. */
  readonly onExit: (last: () => void) => void;
}

/**
 * Writes the lines of one tick of the event loop together: under load a write for each line costs more than all else of
 * the log. A warning or worse is written at once, with what has come before it, so the last lines of a dying process
 * are not lost; only info and debug lines of its very last tick may be missing.
 */
export function createBatchedStdout({ out, onExit }: BatchedStdoutOptions): DestinationStream {
  let lines = '';
  const flush = (): void => {
    if (lines !== '') {
      const written = lines;
      lines = '';
      out.write(written);
    }
  };
  onExit(flush);
  return Object.assign(
    {
      lastLevel: 0,
      write(line: string) {
        if (lines === '') {
          setImmediate(flush);
        }
        lines += line;
        if (this.lastLevel >= urgentLevel) {
          flush();
        }
      },
    },
    { [metadata]: true },
  );
}
