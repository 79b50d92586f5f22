import { readFile } from 'node:fs/promises';

/** Memory that a process has in RAM, in MiB. NaN if the machine has no /proc. */
export async function residentMiB(pid: number): Promise<number> {
  try {
    return parseStatus(await readFile(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return Number.NaN;
  }
}

/** `VmRSS` of `/proc/<pid>/status` (proc(5)), which is in KiB. */
export function parseStatus(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
