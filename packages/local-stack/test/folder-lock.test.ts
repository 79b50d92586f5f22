import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderInUseError, lockFolder } from '../src/launch/folder-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asyncfn-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a folder is locked once, and again after it was released', async () => {
  const lock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(FolderInUseError);
  await expect(lockFolder(join(folder, '.'))).rejects.toThrow(folder);
  await lock[Symbol.asyncDispose]();
  await lock[Symbol.asyncDispose]();
  await using again = await lockFolder(folder);
  expect(again).toBeDefined();
});

test('locks of two folders do not get in the way of one another', async () => {
  const other = await mkdtemp(join(folder, 'other-'));
  await using one = await lockFolder(folder);
  await using two = await lockFolder(other);
  expect(one).not.toBe(two);
});

test('a process that was killed leaves the folder free', async () => {
  const { path } = await lockAndUnlock();
  const holder = listenInProcess(path);
  await once(holder.stdout!, 'data');
  await expect(lockFolder(folder)).rejects.toThrow(FolderInUseError);
  const gone = once(holder, 'exit');
  holder.kill('SIGKILL');
  await gone;
  expect(existsSync(path)).toBe(true);
  await using lock = await lockFolder(folder);
  expect(lock.path).toBe(path);
});

test('the lock is in the folder, so that a container which shares only the folder sees it', async () => {
  await using lock = await lockFolder(folder);
  expect(lock.path).toBe(join(await realpath(folder), 'lock.sock'));
});

test('a folder whose path is too long for a socket has its lock among the temporary files', async () => {
  const deep = join(folder, 'deep-'.repeat(20));
  await mkdir(deep);
  await using lock = await lockFolder(deep);
  expect(lock.path.startsWith(tmpdir())).toBe(true);
  await expect(lockFolder(deep)).rejects.toThrow(FolderInUseError);
});

async function lockAndUnlock() {
  await using lock = await lockFolder(folder);
  return lock;
}

/** Holds the lock in another process, and says so once it does. */
function listenInProcess(path: string): ChildProcess {
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('listening'))`;
  return spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
}
