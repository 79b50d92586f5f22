import { readdirSync, readFileSync } from 'node:fs';
import { vi } from 'vitest';

/**
 * Whether a process runs. A process that has ended and waits to be reaped does not, such as an orphan that no process
 * reaps.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return stateOf(pid) !== 'Z';
}

/** Tries until `assertion` no longer throws. */
export function eventually<T>(assertion: () => T): Promise<T> {
  return vi.waitFor(assertion, { timeout: 10_000, interval: 20 });
}

/** The state letter of each thread of a process; none on systems without /proc. */
export function threadStates(pid: number): (string | undefined)[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => stateOf(Number(thread)));
  } catch {
    return [];
  }
}

/** The state letter of proc(5); systems without /proc reap orphans. */
function stateOf(pid: number): string | undefined {
  try {
    return /^\d+ \(.*\) (\w)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
