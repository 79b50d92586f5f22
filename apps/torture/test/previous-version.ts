import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { runPnpm } from '@asyncfn/testkit';
import type { Version } from '../src/faults/process-faults.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Builds the version from which one upgrades, which `scripts/release/previous-version.json` names by its commit. It is
 * built once and kept in `asyncfn/versions` in `$XDG_CACHE_HOME` or `~/.cache`. Needs the history of the repository, or a remote that has the commit.
 */
export async function buildPreviousVersion(): Promise<Version> {
  const text = await readFile(join(root, 'scripts/release/previous-version.json'), 'utf8');
  const { commit } = JSON.parse(text) as { commit: string };
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const folder = join(cache, 'asyncfn', 'versions', commit);
  if (!(await exists(folder))) {
    const unfinished = `${folder}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await unpack(commit, unfinished);
    await runPnpm(['install', '--frozen-lockfile', '--prefer-offline', '--loglevel=warn'], unfinished);
    const apps = ['--filter=@asyncfn/gateway', '--filter=@asyncfn/worker'];
    await runPnpm(['exec', 'turbo', 'run', 'build', ...apps], unfinished);
    await rename(unfinished, folder);
  }
  const mainOf = (app: string): URL => pathToFileURL(join(folder, `apps/${app}/dist/main.js`));
  return { gateway: mainOf('gateway'), worker: mainOf('worker') };
}

async function unpack(commit: string, folder: string): Promise<void> {
  const archive = join(folder, 'source.tar');
  const git = (...args: string[]): Promise<unknown> => run('git', ['-C', root, ...args]);
  // A clone without history has the newest commit alone.
  await git('cat-file', '-e', `${commit}^{commit}`).catch(() => git('fetch', '--depth=1', 'origin', commit));
  await git('archive', '--output', archive, commit);
  await run('tar', ['-xf', archive, '-C', folder]);
  await rm(archive);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
