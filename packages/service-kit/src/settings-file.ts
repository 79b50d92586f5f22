import { readFile } from 'node:fs/promises';
import { ConfigError } from './config.ts';
import type { Logger } from './logger.ts';
import { watchFile } from './watch-file.ts';

/** What the text of a file says, or everything that is wrong with it. */
export type ParsedSettings<T> =
  | { readonly kind: 'settings'; readonly settings: T }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

export interface SettingsFileOptions<T> {
  readonly path: string;
  /** The variable that names the file. */
  readonly env: string;
  /** Problems name the file with their line: `file:line: problem`. */
  readonly parse: (text: string, path: string) => ParsedSettings<T>;
}

/** A file that belongs to the configuration: it has to be right at the start, and its changes are taken over. */
export class SettingsFile<T> {
  readonly #options: SettingsFileOptions<T>;
  /** What it said when the process started. */
  readonly #known: string;
  #current: T;

  private constructor(options: SettingsFileOptions<T>, known: string, current: T) {
    this.#options = options;
    this.#known = known;
    this.#current = current;
  }

  /** @throws ConfigError that names every problem of the file, with its line */
  static async load<T>(options: SettingsFileOptions<T>): Promise<SettingsFile<T>> {
    const { path, env, parse } = options;
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ConfigError([{ name: env, problem: `${path}: cannot be read: ${why}` }], { cause });
    });
    const parsed = parse(text, path);
    if (parsed.kind === 'refused') {
      throw new ConfigError(parsed.problems.map((problem) => ({ name: env, problem })));
    }
    return new SettingsFile(options, text, parsed.settings);
  }

  /** What holds now: what the last good content of the file said. */
  get current(): T {
    return this.#current;
  }

  /** Takes over every new content until the signal aborts. A bad one is logged, and the last good one stays in force. */
  async follow(logger: Logger, signal: AbortSignal): Promise<void> {
    const { path } = this.#options;
    await watchFile(path, (text) => this.#take(text, logger), { signal, logger, known: this.#known });
  }

  #take(text: string, logger: Logger): void {
    const { path, env, parse } = this.#options;
    const parsed = parse(text, path);
    if (parsed.kind === 'refused') {
      logger.error(
        { setting: env, problems: parsed.problems },
        'settings file is wrong, the last good one stays in force',
      );
      return;
    }
    this.#current = parsed.settings;
    logger.info({ setting: env, path }, 'settings file reloaded');
  }
}
