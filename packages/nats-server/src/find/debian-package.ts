import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

/** The first suite whose nats-server is recent enough. */
const SUITE = 'forky';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** The package lists are 10 MB, and some connections are slow; apt itself gives up one that stands still. */
const APT_TIMEOUT_MS = 5 * 60_000;
const LIST_MIRRORS = ['indextargets', '--format', '$(REPO_URI) $(RELEASE)', 'Origin: Debian'];
const DEFAULT_MIRROR = 'http://deb.debian.org/debian';

/**
 * Takes nats-server out of Debian's package, on a Debian of any age: apt works on a state of its own in `folder`, so
 * no root is needed, the system's package lists stay as they are, and apt checks the signatures.
 *
 * @returns the path of the binary within `folder`.
 */
export async function fetchDebianPackage(folder: string, log: (line: string) => void): Promise<string> {
  await access(KEYRING).catch(() => {
    throw new Error(`this is not Debian: ${KEYRING} is missing`);
  });
  const mirror = chooseMirror(await runCommand('apt-get', LIST_MIRRORS));
  log(`fetching Debian's nats-server package (${SUITE}) from ${mirror}`);
  const settings = await createAptState(folder, mirror);
  const debs = join(folder, 'debs');
  await mkdir(debs);
  const limits = { cwd: debs, timeoutMs: APT_TIMEOUT_MS };
  await runCommand('apt-get', [...settings, 'update'], limits);
  await runCommand('apt-get', [...settings, 'download', 'nats-server'], limits);
  const [deb] = await readdir(debs);
  if (deb === undefined) {
    throw new Error('apt-get downloaded nothing');
  }
  await runCommand('dpkg-deb', ['-x', join(debs, deb), join(folder, 'root')]);
  return join(folder, 'root/usr/sbin/nats-server');
}

/**
 * The mirror this machine already uses, from lines of `<URI> <codename>`. No lines exist if the package lists have
 * never been fetched, as in a fresh container.
 */
export function chooseMirror(targets: string): string {
  const main = targets
    .split('\n')
    .map((line) => line.split(' '))
    .find(([uri, codename = '']) => uri !== '' && !/security|updates|backports/.test(codename));
  return main?.[0] ?? DEFAULT_MIRROR;
}

/** Creates the folders and files apt wants; returns the options that make it use these and no others. */
async function createAptState(folder: string, mirror: string): Promise<string[]> {
  const [state, cache, etc] = [join(folder, 'state'), join(folder, 'cache'), join(folder, 'etc')];
  for (const path of [join(state, 'lists/partial'), join(cache, 'archives/partial'), etc]) {
    await mkdir(path, { recursive: true });
  }
  const sources = join(etc, 'sources.list');
  const status = join(state, 'status');
  await writeFile(sources, `deb [signed-by=${KEYRING}] ${mirror} ${SUITE} main\n`);
  await writeFile(status, '');
  const settings = {
    'Dir::State': state,
    'Dir::State::status': status,
    'Dir::Cache': cache,
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Acquire::Languages': 'none',
    'Acquire::http::Timeout': '10',
    'Acquire::Retries': '2',
    // As root, apt would switch to a user that may not read this folder.
    'APT::Sandbox::User': userInfo().username,
  };
  return ['-qq', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}
