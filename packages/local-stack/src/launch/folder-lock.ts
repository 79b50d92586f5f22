import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid } from 'node:process';

/** The path of a socket may have 104 bytes on macOS and 108 on Linux, with a zero at the end. */
const LONGEST_PATH = 100;

/** Another process uses the folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
  readonly code = 'folder_in_use';
}

/** Leaving an `await using` scope releases the folder. */
export interface FolderLock extends AsyncDisposable {
  /** The path of the socket that is the lock. */
  readonly path: string;
}

/**
 * Locks a folder for this process: two servers on one JetStream store would destroy it. The lock is a listening socket,
 * so it ends with the process, however that ends. The socket is in the folder itself, so that other users and
 * containers that share the folder see it; if the folder cannot hold a socket, it is among the temporary files.
 * @throws {FolderInUseError} if another process holds the lock.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const real = await realpath(folder);
  const inside = join(real, 'lock.sock');
  const elsewhere = join(tmpdir(), temporaryName(real));
  const fits = Buffer.byteLength(inside) <= LONGEST_PATH;
  const { path, server } = (fits ? await tryLock(inside) : undefined) ?? (await lock(elsewhere));
  if (server === undefined) {
    throw new FolderInUseError(
      `another process is running with ${folder}: stop it, or set STATE_DIR to another folder`,
    );
  }
  return { path, [Symbol.asyncDispose]: () => close(server) };
}

function temporaryName(folder: string): string {
  const digest = createHash('sha256').update(folder).digest('hex');
  return `asyncfn-${getuid?.() ?? 0}-${digest.slice(0, 16)}.sock`;
}

interface LockAttempt {
  readonly path: string;
  /** Undefined if another process holds the lock. */
  readonly server: Server | undefined;
}

async function lock(path: string): Promise<LockAttempt> {
  return { path, server: (await tryListen(path)) ?? (await takeOver(path)) };
}

/**
 * Undefined if the file system does not support sockets, as with folders that a container shares with macOS or Windows.
 */
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
    // If the process may not be asked, as another user's, it does not count as dead.
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
