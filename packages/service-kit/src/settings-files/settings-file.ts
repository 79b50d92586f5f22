import { readFile } from 'node:fs/promises';
import { ConfigError } from '../config/index.ts';
import type { Logger } from '../logging/index.ts';
import { type FileText, readFileText } from './file-text.ts';
import { watchFile } from './watch-file.ts';

/** The value of a file's text, or all its problems. */
export type ParsedSettings<T> =
  | { readonly kind: 'settings'; readonly settings: T }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** The text of a further file, by its path as it was written. */
export type FurtherFiles = (file: string) => FileText;

export interface SettingsFileOptions<T> {
  readonly path: string;
  /** The variable that names the file. */
  readonly env: string;
  /** The paths of further files that a text names; relative ones start at its folder. Default: there are none. */
  readonly furtherFiles?: (text: string) => readonly string[];
  /** Problems name the file with their line: `file:line: problem`. */
  readonly parse: (text: string, path: string, further: FurtherFiles) => ParsedSettings<T>;
}

/** The file and all files that it names, at one time. */
interface Snapshot {
  readonly text: string;
  readonly further: Readonly<Record<string, FileText>>;
}

/**
 * A file that belongs to the configuration, with the files that it names: it must be valid at the start, and its
 * changes are applied.
 */
export class SettingsFile<T> {
  readonly #options: SettingsFileOptions<T>;
  /** Its value when the process started. */
  readonly #known: string;
  #current: T;

  private constructor(options: SettingsFileOptions<T>, known: string, current: T) {
    this.#options = options;
    this.#known = known;
    this.#current = current;
  }

  /** @throws ConfigError that names every problem of the file, with its line */
  static async load<T>(options: SettingsFileOptions<T>): Promise<SettingsFile<T>> {
    const { path, env } = options;
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ConfigError([{ name: env, problem: `${path}: cannot be read: ${why}` }], { cause });
    });
    const known = await complete(text, options);
    const parsed = parseSnapshot(known, options);
    if (parsed.kind === 'refused') {
      throw new ConfigError(parsed.problems.map((problem) => ({ name: env, problem })));
    }
    return new SettingsFile(options, known, parsed.settings);
  }

  /** Its path, as it was configured. */
  get path(): string {
    return this.#options.path;
  }

  /** The current value: that of the last good content. */
  get current(): T {
    return this.#current;
  }

  /**
   * Applies every new content until the signal aborts. Logs a bad one, and keeps the last good one in force.
   * @param onChange called with each new value
   */
  async follow(logger: Logger, signal: AbortSignal, onChange: (settings: T) => void = () => {}): Promise<void> {
    const { path } = this.#options;
    await watchFile(path, (snapshot) => this.#take(snapshot, logger, onChange), {
      signal,
      logger,
      known: this.#known,
      complete: (text) => complete(text, this.#options),
    });
  }

  #take(snapshot: string, logger: Logger, onChange: (settings: T) => void): void {
    const { path, env } = this.#options;
    const parsed = parseSnapshot(snapshot, this.#options);
    if (parsed.kind === 'refused') {
      logger.error(
        { setting: env, problems: parsed.problems },
        'settings file is wrong, the last good one stays in force',
      );
      return;
    }
    this.#current = parsed.settings;
    onChange(parsed.settings);
    logger.info({ setting: env, path }, 'settings file reloaded');
  }
}

/** A snapshot as one text, which changes as soon as any of the files changes. */
async function complete<T>(text: string, { path, furtherFiles }: SettingsFileOptions<T>): Promise<string> {
  const names = furtherFiles?.(text) ?? [];
  const read = await Promise.all(names.map(async (name) => [name, await readFileText(name, path)] as const));
  const snapshot: Snapshot = { text, further: Object.fromEntries(read) };
  return JSON.stringify(snapshot);
}

function parseSnapshot<T>(text: string, { path, parse }: SettingsFileOptions<T>): ParsedSettings<T> {
  const snapshot = JSON.parse(text) as Snapshot;
  const further = new Map(Object.entries(snapshot.further));
  return parse(
    snapshot.text,
    path,
    (name) => further.get(name) ?? { kind: 'unreadable', why: 'it was not looked for' },
  );
}
