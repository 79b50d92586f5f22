import { readFile, stat } from 'node:fs/promises';
import type { Logger } from '../logging/index.ts';
import { sleep } from '../timing.ts';

export interface WatchFileOptions {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Time between two looks. Default 1,000. */
  readonly intervalMs?: number;
  /** The text that the caller has already read. Default: that of the first look, which happens at once. */
  readonly known?: string;
  /** Default {@link sleep}. */
  readonly sleep?: typeof sleep;
  /** Adds related text to that of the file, such as other files that it names. Default: nothing. */
  readonly complete?: (content: string) => Promise<string> | string;
}

const asItIs = (content: string): string => content;

/** A change counts once it has been seen twice, this far apart: many programs empty a file before they fill it. */
const SETTLE_MS = 100;

/** A file younger than this may change again without a new time stamp, so its content is read at each look. */
const RACY_MS = 2_000;

/**
 * Calls `onChange` with the text of a file whenever that has changed. What `onChange` throws is logged.
 *
 * It polls, because `fs.watch` watches an inode or a folder, not a path: it goes blind when an editor renames a new
 * file into place, when Kubernetes swaps the symlinks of a ConfigMap two folders up, and on network and bind mounts
 * it says nothing at all. A look costs one `stat` unless the file has been touched.
 *
 * @returns resolves when the signal has aborted; never rejects
 */
export async function watchFile(
  path: string,
  onChange: (content: string) => Promise<void> | void,
  { signal, logger, intervalMs = 1_000, known, sleep: wait = sleep, complete = asItIs }: WatchFileOptions,
): Promise<void> {
  const lookAtFile = createLook(path, logger);
  const look = async (): Promise<string | undefined> => {
    const content = await lookAtFile();
    return content === undefined ? undefined : complete(content);
  };
  let current = known ?? (await look());
  let candidate = current;
  while (await wait(candidate === current ? intervalMs : Math.min(SETTLE_MS, intervalMs), signal)) {
    const seen = await look();
    if (seen === undefined) {
      continue;
    }
    if (seen === candidate && seen !== current) {
      current = seen;
      await tell(onChange, seen, path, logger);
    }
    candidate = seen;
  }
}

/** Returns a function that reads the text of the file; `undefined` while there is no file to read. */
function createLook(path: string, logger: Logger): () => Promise<string | undefined> {
  let last: { stamp: string; content: string } | undefined;
  let problem: string | undefined;

  async function read(): Promise<string> {
    const { stamp, changedMs } = await stampOf(path);
    if (last?.stamp === stamp) {
      return last.content;
    }
    const content = await readFile(path, 'utf8');
    last = Date.now() - changedMs > RACY_MS ? { stamp, content } : undefined;
    return content;
  }

  return async () => {
    try {
      const content = await read();
      if (problem !== undefined) {
        logger.info({ path }, 'watched file can be read again');
      }
      problem = undefined;
      return content;
    } catch (err) {
      const code = (err as NodeJS.ErrnoException).code ?? String(err);
      if (code !== problem) {
        logger.warn({ path, err }, 'watched file cannot be read');
      }
      problem = code;
      return undefined;
    }
  };
}

async function stampOf(path: string): Promise<{ stamp: string; changedMs: number }> {
  const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(path, { bigint: true });
  return { stamp: [dev, ino, size, mtimeNs, ctimeNs].join(':'), changedMs: Number(ctimeMs) };
}

async function tell(
  onChange: (content: string) => Promise<void> | void,
  content: string,
  path: string,
  logger: Logger,
): Promise<void> {
  try {
    await onChange(content);
  } catch (err) {
    logger.error({ path, err }, 'change of a watched file could not be applied');
  }
}
