import { readdirSync, readFileSync } from 'node:fs';

/**
 * Whether every thread of a process has been stopped by a signal. A signal stops the threads one after the other, and
 * the remaining ones may still work. True if the system does not tell (no proc(5)), and for a process that has ended.
 */
export function isStandingStill(pid: number): boolean {
  return threadsOf(pid).every((thread) => isStopped(`/proc/${pid}/task/${thread}/stat`));
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** `pid (name) state ...`; a thread that has ended meanwhile does nothing any more. */
function isStopped(statFile: string): boolean {
  try {
    return /^\d+ \(.*\) [TtZX]/s.test(readFileSync(statFile, 'utf8'));
  } catch {
    return true;
  }
}
