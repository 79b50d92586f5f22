import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid } from 'node:process';

/** The path of a socket has room for 104 bytes on macOS, for 108 on Linux, with a zero at the end. */
const LONGEST_PATH = 100;

/** Another process works with the folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
  readonly code = 'folder_in_use';
}

/** Leaving an `await using` scope gives the folder back. */
export interface FolderLock extends AsyncDisposable {
  /** Of the socket that stands for it. */
  readonly path: string;
}

/**
 * Takes a folder for this process alone: two servers on one JetStream store would destroy it. The lock is a listening
 * socket, so it is gone with the process however that ends. It is in the folder itself, where other users and containers
 * that have the folder see it as well, or among the temporary files where the folder can hold no socket.
 *
 * @throws {FolderInUseError} when another process has it.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const real = await realpath(folder);
  const inside = join(real, 'lock.sock');
  const elsewhere = join(tmpdir(), temporaryName(real));
  const fits = Buffer.byteLength(inside) <= LONGEST_PATH;
  const { path, server } = (fits ? await tryLock(inside) : undefined) ?? (await lock(elsewhere));
  if (server === undefined) {
    throw new FolderInUseError(`another process is running with ${folder}`);
  }
  return { path, [Symbol.asyncDispose]: () => close(server) };
}

function temporaryName(folder: string): string {
  const digest = createHash('sha256').update(folder).digest('hex');
  return `asyncfn-${getuid?.() ?? 0}-${digest.slice(0, 16)}.sock`;
}

interface LockAttempt {
  readonly path: string;
  /** Undefined where another process has the lock. */
  readonly server: Server | undefined;
}

async function lock(path: string): Promise<LockAttempt> {
  return { path, server: (await tryListen(path)) ?? (await takeOver(path)) };
}

/** Undefined where the file system takes no sockets, as with folders that a container shares with macOS or Windows. */
async function tryLock(path: string): Promise<LockAttempt | undefined> {
  try {
    return await lock(path);
  } catch {
    return undefined;
  }
}

/** A socket that refuses connections was left behind by a process that was killed. */
async function takeOver(path: string): Promise<Server | undefined> {
  if (await answers(path)) {
    return undefined;
  }
  await rm(path, { force: true });
  return await tryListen(path);
}

async function tryListen(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.listen(path);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      return undefined;
    }
    throw error;
  }
  server.unref();
  return server;
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    // One that may not be asked, as another user's, is not known to be dead.
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code !== 'ECONNREFUSED' && code !== 'ENOENT';
  } finally {
    socket.destroy();
  }
}

async function close(server: Server): Promise<void> {
  if (!server.listening) {
    return;
  }
  const closed = once(server, 'close');
  server.close();
  await closed;
}
