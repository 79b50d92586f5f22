import { readFile } from 'node:fs/promises';

/** Linux reports hundredths of a second to user space, whatever the kernel's own tick is (proc(5)). */
const microsPerTick = 10_000;

/** CPU time that a process has used so far, in microseconds. Undefined if the machine has no /proc. */
export async function cpuMicros(pid: number): Promise<number | undefined> {
  try {
    return parseStat(await readFile(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** User and system time of a line of `/proc/<pid>/stat`; the name before them may hold anything, even brackets. */
export function parseStat(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * microsPerTick;
}
