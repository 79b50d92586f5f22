import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DownloadLimits, downloadFile } from './download.ts';
import type { Release } from './pinned-release.ts';
import { createProgressLog } from './progress-log.ts';
import { runCommand } from './run-command.ts';

/** The machine a binary is for, in Node's words (`os.platform()`, `os.arch()`). */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
}

export interface ReleaseOptions extends DownloadLimits {
  /** Holds a folder `v<version>` for each release. */
  readonly baseUrl: string;
  readonly release: Release;
  readonly machine: Machine;
  readonly log: (line: string) => void;
}

const SYSTEMS = new Map([
  ['linux', 'linux'],
  ['darwin', 'darwin'],
  ['win32', 'windows'],
]);
const ARCHITECTURES = new Map([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
  ['ia32', '386'],
  ['arm', 'arm7'],
]);

/**
 * The machine in the words of nats-server's releases
 * (https://github.com/nats-io/nats-server/blob/main/.goreleaser.yml).
 * @throws when nats-server is not published for it.
 */
export function buildName({ platform, arch }: Machine): string {
  const system = SYSTEMS.get(platform);
  const architecture = ARCHITECTURES.get(arch);
  if (system === undefined || architecture === undefined) {
    throw new Error(`no release for ${platform} on ${arch}`);
  }
  return `${system}-${architecture}`;
}

/**
 * Downloads a release archive into `folder`, compares it with the checksum that we know and unpacks it.
 * The system's `tar` unpacks both kinds; on Windows it is bsdtar, which reads zip. Only POSIX systems are tested.
 *
 * @returns the path of the binary within `folder`.
 * @throws when the archive is another one, or no checksum is known for the machine: then nothing is downloaded.
 */
export async function fetchRelease(folder: string, options: ReleaseOptions): Promise<string> {
  const { baseUrl, release, machine, log } = options;
  const isWindows = machine.platform === 'win32';
  const build = buildName(machine);
  const expected = release.checksums[build];
  if (expected === undefined) {
    throw new Error(`no checksum of nats-server ${release.version} for ${build} is known, so it is not downloaded`);
  }
  // The archive has a folder of this name in it.
  const name = `nats-server-v${release.version}-${build}`;
  const archive = `${name}${isWindows ? '.zip' : '.tar.gz'}`;
  const url = `${baseUrl.replace(/\/+$/, '')}/v${release.version}/${archive}`;
  log(`downloading ${url}`);
  const archivePath = join(folder, archive);
  const actual = await downloadFile(url, archivePath, options, createProgressLog(log));
  if (actual !== expected) {
    throw new Error(`${archive} is not the expected archive: its SHA-256 is ${actual}, not ${expected}`);
  }

  const unpacked = join(folder, 'unpacked');
  await mkdir(unpacked);
  await runCommand('tar', ['-xf', archivePath, '-C', unpacked]);
  return join(unpacked, name, isWindows ? 'nats-server.exe' : 'nats-server');
}
