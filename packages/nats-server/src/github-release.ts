import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DownloadLimits, downloadFile, downloadText } from './download.ts';
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
  readonly version: string;
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
 * The name of a release archive without its extension; also the name of the folder inside it
 * (https://github.com/nats-io/nats-server/blob/main/.goreleaser.yml).
 * @throws when nats-server is not published for that machine.
 */
export function releaseName(version: string, { platform, arch }: Machine): string {
  const system = SYSTEMS.get(platform);
  const architecture = ARCHITECTURES.get(arch);
  if (system === undefined || architecture === undefined) {
    throw new Error(`no release for ${platform} on ${arch}`);
  }
  return `nats-server-v${version}-${system}-${architecture}`;
}

/**
 * The checksum of one file out of `sha256sum`'s format: `<hex>  <name>`, with `*` before the name of a binary file.
 * @throws when it is not listed.
 */
export function findChecksum(sums: string, name: string): string {
  for (const line of sums.split('\n')) {
    const [, checksum, file] = /^([0-9a-f]{64}) [ *](.+?)\r?$/i.exec(line) ?? [];
    if (checksum !== undefined && file === name) {
      return checksum.toLowerCase();
    }
  }
  throw new Error(`SHA256SUMS does not list ${name}`);
}

/**
 * Downloads a release archive into `folder`, compares it with the release's checksum and unpacks it.
 * The system's `tar` unpacks both kinds; on Windows it is bsdtar, which reads zip. Only POSIX systems are tested.
 *
 * @returns the path of the binary within `folder`.
 */
export async function fetchRelease(folder: string, options: ReleaseOptions): Promise<string> {
  const { baseUrl, version, machine, log } = options;
  const isWindows = machine.platform === 'win32';
  const name = releaseName(version, machine);
  const archive = `${name}${isWindows ? '.zip' : '.tar.gz'}`;
  const releaseUrl = `${baseUrl.replace(/\/+$/, '')}/v${version}`;

  // First, because it is small: where the site cannot be reached that is known at once.
  const expected = findChecksum(await downloadText(`${releaseUrl}/SHA256SUMS`, options), archive);
  log(`downloading ${releaseUrl}/${archive}`);
  const archivePath = join(folder, archive);
  const actual = await downloadFile(`${releaseUrl}/${archive}`, archivePath, options, createProgressLog(log));
  if (actual !== expected) {
    throw new Error(`${archive} is damaged: its SHA-256 is ${actual}, not ${expected}`);
  }

  const unpacked = join(folder, 'unpacked');
  await mkdir(unpacked);
  await runCommand('tar', ['-xf', archivePath, '-C', unpacked]);
  return join(unpacked, name, isWindows ? 'nats-server.exe' : 'nats-server');
}
