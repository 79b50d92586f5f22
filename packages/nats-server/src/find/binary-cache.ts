import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compareVersions, isRecentEnough, MINIMUM_VERSION, readServerVersion } from './version.ts';

export interface ServerBinary {
  readonly path: string;
  readonly version: string;
}

export interface CacheOptions {
  /** Holds `<version>/<executable>`. */
  readonly folder: string;
  /** `nats-server`, on Windows `nats-server.exe`. */
  readonly executable: string;
}

const WORK_PREFIX = '.fetching-';
/** No fetch takes that long: its process was killed and left its files behind. */
const STALE_AFTER_MS = 60 * 60_000;

/**
 * The requested version if the cache has it, else the newest usable one.
 * @throws if no binary runs.
 */
export async function findInCache(
  { folder, executable }: CacheOptions,
  preferred: string,
  log: (line: string) => void,
): Promise<ServerBinary> {
  const versions = (await listFolder(folder)).filter((name) => /^\d+\.\d+\.\d+$/.test(name) && isRecentEnough(name));
  versions.sort((a, b) => Number(b === preferred) - Number(a === preferred) || compareVersions(b, a));
  for (const version of versions) {
    const path = join(folder, version, executable);
    try {
      return { path, version: await readServerVersion(path) };
    } catch (error) {
      log(`passing over ${path}: ${error}`);
    }
  }
  throw new Error(`nothing usable in ${folder}`);
}

/**
 * Puts a fetched binary into the cache, and nothing else: `fetchInto` works in a folder of its own, which goes in any
 * case, and what it returns is tried before it moves into place.
 *
 * Two processes may do this at once without a lock: each has its own work folder on the same file system, a rename
 * replaces a file in one step, and a server that already runs from the replaced file keeps its inode. Readers find
 * either no file or a complete one.
 */
export async function installInCache(
  { folder, executable }: CacheOptions,
  fetchInto: (workFolder: string) => Promise<string>,
): Promise<ServerBinary> {
  await mkdir(folder, { recursive: true });
  await removeStaleWork(folder);
  const workFolder = await mkdtemp(join(folder, WORK_PREFIX));
  try {
    const fetched = await fetchInto(workFolder);
    await chmod(fetched, 0o755);
    const version = await readServerVersion(fetched);
    if (!isRecentEnough(version)) {
      throw new Error(`it is ${version}, older than ${MINIMUM_VERSION}`);
    }
    await mkdir(join(folder, version), { recursive: true });
    const path = join(folder, version, executable);
    await rename(fetched, path);
    return { path, version };
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

async function removeStaleWork(folder: string): Promise<void> {
  for (const name of await listFolder(folder)) {
    if (!name.startsWith(WORK_PREFIX)) {
      continue;
    }
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > STALE_AFTER_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function listFolder(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}
