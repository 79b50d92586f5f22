import { access, constants } from 'node:fs/promises';
import { arch, homedir, platform } from 'node:os';
import { delimiter, join } from 'node:path';
import { NatsServerError, reasonOf } from '../nats-server-error.ts';
import { type CacheOptions, findInCache, installInCache, type ServerBinary } from './binary-cache.ts';
import { fetchDebianPackage } from './debian-package.ts';
import { fetchRelease, type ReleaseOptions } from './github-release.ts';
import { pinnedRelease, type Release } from './pinned-release.ts';
import { isRecentEnough, MINIMUM_VERSION, readServerVersion } from './version.ts';

const RELEASES = 'https://github.com/nats-io/nats-server/releases/download';

/** Where a server may come from, in the order in which the ways are tried. */
export type ServerSource = 'env' | 'path' | 'cache' | 'github' | 'debian';

export interface FoundServer extends ServerBinary {
  readonly source: ServerSource;
}

export interface FindOptions {
  /** `process.env`; these variables are read. */
  readonly env: {
    /** The binary to use and no other. */
    readonly NATS_SERVER_BIN?: string | undefined;
    readonly PATH?: string | undefined;
    readonly XDG_CACHE_HOME?: string | undefined;
  };
  /** The binary to use and no other. Default: `env.NATS_SERVER_BIN`. */
  readonly bin?: string;
  /** Holds `<version>/nats-server`. Default: `asyncfn/nats-server` in `$XDG_CACHE_HOME` or `~/.cache`. */
  readonly cacheDir?: string;
  /** What to fetch, and which version to prefer in the cache. Default: {@link pinnedRelease}. */
  readonly release?: Release;
  /** Where release folders (`v2.15.0`) are. Default: nats-server's releases on GitHub. */
  readonly releaseUrl?: string;
  /** After this time without an answer from `releaseUrl` the next way is tried. Default: 4,000. */
  readonly connectTimeoutMs?: number;
  /** A download that stands still for this time is given up. Default: 15,000. */
  readonly stallTimeoutMs?: number;
  /** Which ways to try. Default: all. */
  readonly sources?: readonly Exclude<ServerSource, 'env'>[];
  /** Receives a line for everything that takes time or is passed over. Default: silence. */
  readonly log?: (line: string) => void;
}

/**
 * Finds a nats-server that is recent enough, or fetches one into the cache.
 *
 * @throws {NatsServerError} `unusable` when the binary that was asked for cannot be used, `not_found` with every way
 * that was tried and why it failed.
 */
export async function findNatsServer(options: FindOptions): Promise<FoundServer> {
  const { env, bin = env.NATS_SERVER_BIN, sources = ['path', 'cache', 'github', 'debian'] } = options;
  if (bin !== undefined && bin !== '') {
    return { ...(await useAskedFor(bin)), source: 'env' };
  }
  const { log = () => {} } = options;
  const ways = createWays(options, log);
  const failures: string[] = [];
  for (const source of sources) {
    try {
      return { ...(await ways[source]()), source };
    } catch (error) {
      const failure = `${placeOf[source]}: ${reasonOf(error)}`;
      log(failure);
      failures.push(`  - ${failure}`);
    }
  }
  throw new NatsServerError('not_found', explainFailure(failures));
}

/** In messages. */
const placeOf: Ways<string> = {
  path: 'on the PATH',
  cache: 'in the cache',
  github: 'from GitHub',
  debian: 'from Debian',
};

type Ways<T> = Record<Exclude<ServerSource, 'env'>, T>;

function createWays(
  { env, cacheDir, ...options }: FindOptions,
  log: (line: string) => void,
): Ways<() => Promise<ServerBinary>> {
  const executable = platform() === 'win32' ? 'nats-server.exe' : 'nats-server';
  const folder = cacheDir ?? join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'asyncfn', 'nats-server');
  const cache: CacheOptions = { folder, executable };
  const release = options.release ?? pinnedRelease;
  const download: ReleaseOptions = {
    baseUrl: options.releaseUrl ?? RELEASES,
    release,
    machine: { platform: platform(), arch: arch() },
    connectTimeoutMs: options.connectTimeoutMs ?? 4_000,
    stallTimeoutMs: options.stallTimeoutMs ?? 15_000,
    log,
  };
  return {
    path: () => findOnPath(env.PATH ?? '', executable, log),
    cache: () => findInCache(cache, release.version, log),
    github: () => installInCache(cache, (workFolder) => fetchRelease(workFolder, download)),
    debian: () => installInCache(cache, (workFolder) => fetchDebianPackage(workFolder, log)),
  };
}

async function useAskedFor(path: string): Promise<ServerBinary> {
  const version = await readServerVersion(path).catch((error: unknown) => {
    throw new NatsServerError('unusable', `NATS_SERVER_BIN cannot be used: ${reasonOf(error)}`, { cause: error });
  });
  if (isRecentEnough(version)) {
    return { path, version };
  }
  throw new NatsServerError(
    'unusable',
    `NATS_SERVER_BIN is ${path}, ${version}: ${MINIMUM_VERSION} or later is needed`,
  );
}

async function findOnPath(searchPath: string, executable: string, log: (line: string) => void): Promise<ServerBinary> {
  for (const folder of searchPath.split(delimiter).filter((entry) => entry !== '')) {
    const path = join(folder, executable);
    if (!(await isExecutable(path))) {
      continue;
    }
    try {
      const version = await readServerVersion(path);
      if (isRecentEnough(version)) {
        return { path, version };
      }
      log(`passing over ${path}: it is ${version}, older than ${MINIMUM_VERSION}`);
    } catch (error) {
      log(`passing over ${path}: ${reasonOf(error)}`);
    }
  }
  throw new Error(`no ${executable} ${MINIMUM_VERSION} or later`);
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function explainFailure(failures: readonly string[]): string {
  return [
    `No nats-server ${MINIMUM_VERSION} or later was found, and none could be fetched:`,
    ...failures,
    'Install one (https://github.com/nats-io/nats-server/releases) and put it on the PATH, or set NATS_SERVER_BIN to its path.',
  ].join('\n');
}
