import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Logger } from '@asyncfn/service-kit';
import { parseHosts, toLookupName } from './hosts-file.ts';
import { parseSearchList, toFullNames } from './search-list.ts';

export interface SystemNamesOptions {
  readonly logger: Logger;
  /** Default `/etc/hosts`. */
  readonly hostsFile?: string | undefined;
  /** Default `/etc/resolv.conf`. */
  readonly resolvConf?: string | undefined;
  /** Milliseconds, of a clock that never goes back. Default `performance.now`. */
  readonly now?: () => number;
}

/** How long the content of a file is cached. Container runtimes write these files while a process runs. */
const lookMs = 1_000;

/** The current content of this machine's files about host names: Node's DNS resolver reads neither of the two. */
export class SystemNames {
  readonly #hosts: () => ReturnType<typeof parseHosts>;
  readonly #search: () => ReturnType<typeof parseSearchList>;

  constructor(options: SystemNamesOptions) {
    const { hostsFile = '/etc/hosts', resolvConf = '/etc/resolv.conf' } = options;
    this.#hosts = createReader(hostsFile, parseHosts, options);
    this.#search = createReader(resolvConf, (text) => parseSearchList(text, hostname()), options);
  }

  /**
   * The addresses of a name that needs no DNS server: one in the hosts file, or one of this machine: `localhost` and
   * all names below it, whatever a server says (RFC 6761, 6.3).
   */
  addressesOf(name: string): readonly string[] | undefined {
    const key = toLookupName(name);
    const isLocal = key === 'localhost' || key.endsWith('.localhost');
    return this.#hosts().get(key) ?? (isLocal ? ['127.0.0.1', '::1'] : undefined);
  }

  /** The names to look up at DNS servers in its place, in order. */
  fullNames(name: string): readonly string[] {
    return toFullNames(name, this.#search());
  }
}

/**
 * Returns a function that returns the content of a file. It reads synchronously: a name must not wait for the threads
 * that look up the names of functions, and the files are small.
 */
function createReader<T>(
  path: string,
  parse: (text: string) => T,
  { logger, now = () => performance.now() }: SystemNamesOptions,
): () => T {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let stamp: string | undefined;
  let problem: string | undefined;
  let value = parse('');
  const look = (): void => {
    const { mtimeMs, size, ino } = statSync(path);
    const current = [mtimeMs, size, ino].join(' ');
    value = current === stamp ? value : parse(readFileSync(path, 'utf8'));
    stamp = current;
    problem = undefined;
  };
  const onError = (err: unknown): void => {
    const { message } = err as Error;
    if (message !== problem) {
      logger.warn({ path, err }, 'host names of this machine cannot be read');
    }
    problem = message;
  };
  return () => {
    if (now() - lookedAt >= lookMs) {
      lookedAt = now();
      try {
        look();
      } catch (err) {
        onError(err);
      }
    }
    return value;
  };
}
