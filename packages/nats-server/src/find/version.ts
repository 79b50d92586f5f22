import { runCommand } from './run-command.ts';

/**
 * Message schedules, atomic batches and per-message TTLs came with 2.11 and 2.12: nothing older can carry the queues.
 */
export const MINIMUM_VERSION = '2.12.0';

const VERSION = /(\d+)\.(\d+)\.(\d+)/;

/** Negative when `a` is older than `b`. Pre-release suffixes do not count. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionNumbers(a), versionNumbers(b)];
  for (const [index, number] of left.entries()) {
    const difference = number - (right[index] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}

export function isRecentEnough(version: string): boolean {
  return compareVersions(version, MINIMUM_VERSION) >= 0;
}

/**
 * Asks a binary for its version: `nats-server: v2.15.1` -> `2.15.1`.
 * @throws when it cannot be run or is something else.
 */
export async function readServerVersion(path: string): Promise<string> {
  const output = await runCommand(path, ['--version'], { timeoutMs: 10_000 });
  const version = output.startsWith('nats-server') ? VERSION.exec(output)?.[0] : undefined;
  if (version === undefined) {
    throw new Error(`${path} is not a nats-server: it says ${JSON.stringify(output.trim())}`);
  }
  return version;
}

function versionNumbers(version: string): number[] {
  const match = VERSION.exec(version);
  if (match === null) {
    throw new Error(`not a version: ${version}`);
  }
  return match.slice(1).map(Number);
}
