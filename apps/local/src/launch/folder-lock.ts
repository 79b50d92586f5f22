import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

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
 * socket, so it is gone with the process however that ends.
 *
 * @throws {FolderInUseError} when another process has it.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = await socketPath(folder);
  const server = (await tryListen(path)) ?? (await takeOver(path));
  if (server === undefined) {
    throw new FolderInUseError(`another process is running with ${folder}`);
  }
  return { path, [Symbol.asyncDispose]: () => close(server) };
}

/** Not in the folder: the path of a socket may have no more than about 100 bytes. */
async function socketPath(folder: string): Promise<string> {
  const digest = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex');
  return join(tmpdir(), `asyncfn-${userInfo().uid}-${digest.slice(0, 16)}.sock`);
}

/** A socket that nobody answers was left behind by a process that was killed. */
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
  } catch {
    return false;
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
