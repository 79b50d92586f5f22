import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type GuardedProcess, spawnGuarded } from '@asyncfn/guarded-process';

/**
 * A file system of its own that can be filled at any moment. Leaving an `await using` scope removes it with its
 * content.
 */
export interface SmallDisk extends AsyncDisposable {
  /** Its root. */
  readonly path: string;
  /** From now on it has room for no more than a few blocks: writes fail with `ENOSPC`. */
  fill(): Promise<void>;
  /** Restores the room. */
  makeRoom(): Promise<void>;
}

export type SmallDiskResult =
  | { readonly kind: 'open'; readonly disk: SmallDisk }
  /** This machine does not permit it. */
  | { readonly kind: 'impossible'; readonly reason: string };

const run = promisify(execFile);
const size = '4g';
/** A full disk has some room left for writes that are small enough. */
const spareBytes = 64 * 1024;
const maxTries = 20;

/**
 * Opens a small disk: a file system in memory that is mounted in namespaces of a process of its own, so that it takes
 * no privileges and leaves nothing mounted, whatever becomes of us. Others reach it through that process
 * (`/proc/PID/root`, Linux alone), and it outlives them. It takes as much memory as there is in it.
 */
export async function openSmallDisk(): Promise<SmallDiskResult> {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-disk-'));
  try {
    return { kind: 'open', disk: toDisk(await mountOn(folder), folder) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    return { kind: 'impossible', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Resolves with the process that keeps it mounted. */
async function mountOn(folder: string): Promise<GuardedProcess> {
  const script = `mount -t tmpfs -o size=${size} tmpfs "$0" && echo mounted && exec sleep infinity`;
  const args = ['--map-root-user', '--mount', '--propagation', 'private', 'sh', '-c', script, folder];
  const lines: string[] = [];
  const told = new EventEmitter();
  const mounted = once(told, 'mounted');
  const onLine = (line: string): void => {
    lines.push(line);
    told.emit(line);
  };
  const holder = await spawnGuarded('unshare', args, { onLine });
  const ended = holder.exited.then(() => {
    throw new Error(`no file system can be mounted in a namespace of its own: ${lines.join(' ')}`);
  });
  await Promise.race([mounted, ended]);
  return holder;
}

function toDisk(holder: GuardedProcess, folder: string): SmallDisk {
  const path = `/proc/${holder.pid}/root${folder}`;
  const resize = async (to: string): Promise<void> => {
    const inside = ['--target', String(holder.pid), '--user', '--mount', '--preserve-credentials'];
    await run('nsenter', [...inside, 'mount', '-o', `remount,size=${to}`, 'tmpfs', folder]);
  };
  return {
    path,
    async fill() {
      // It cannot be made smaller than its content, and a process may be writing.
      for (let tries = 1; ; tries++) {
        const { blocks, bfree, bsize } = await statfs(path);
        try {
          await resize(String((blocks - bfree) * bsize + tries * spareBytes));
          return;
        } catch (error) {
          if (tries === maxTries) {
            throw error;
          }
        }
      }
    },
    makeRoom: () => resize(size),
    async [Symbol.asyncDispose]() {
      await holder.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
