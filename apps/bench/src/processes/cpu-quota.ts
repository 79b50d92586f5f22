import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { eventually } from '@asyncfn/testkit';

/** Short, so that a process that has used up its share stands still only for milliseconds. */
const periodMicros = 10_000;

interface Hierarchy {
  readonly root: string;
  /** Files that set a quota in microseconds for each period, and their content. */
  readonly settings: (quotaMicros: number) => readonly (readonly [file: string, text: string])[];
}

/** cgroups v2, as in current kernels, and v1, as in older kernels and some containers. */
const hierarchies: readonly Hierarchy[] = [
  {
    root: '/sys/fs/cgroup/cpu',
    settings: (quota) => [
      ['cpu.cfs_period_us', String(periodMicros)],
      ['cpu.cfs_quota_us', String(quota)],
    ],
  },
  { root: '/sys/fs/cgroup', settings: (quota) => [['cpu.max', `${quota} ${periodMicros}`]] },
];

let groups = 0;

/**
 * Limits a process, and those that it starts from now on, to `cpus` cores (0.5 is half of one), with a cgroup of its
 * own. Disposing takes all of them out of the group again, and removes it. Rejects if the machine does not permit that:
 * only Linux has cgroups, and they need root.
 */
export async function limitCpus(pid: number, cpus: number): Promise<AsyncDisposable> {
  const { root, settings } = await findHierarchy();
  const group = `${root}/asyncfn-bench-${process.pid}-${++groups}`;
  try {
    await mkdir(group);
    for (const [file, text] of [...settings(Math.round(cpus * periodMicros)), ['cgroup.procs', String(pid)] as const]) {
      await writeFile(`${group}/${file}`, text);
    }
  } catch (error) {
    await rmdir(group).catch(() => {}); // It was not created.
    throw new Error('the CPU of a process can be limited by root alone, where cgroups have the cpu controller', {
      cause: error,
    });
  }
  return {
    async [Symbol.asyncDispose]() {
      const dissolve = async (): Promise<true> => {
        for (const member of (await readFile(`${group}/cgroup.procs`, 'utf8')).split('\n').filter(Boolean)) {
          await writeFile(`${root}/cgroup.procs`, member).catch(() => {}); // It has ended already.
        }
        await rmdir(group);
        return true;
      };
      await eventually(dissolve, { message: `${group} still has processes` });
    },
  };
}

async function findHierarchy(): Promise<Hierarchy> {
  for (const hierarchy of hierarchies) {
    const isThere = await access(`${hierarchy.root}/cgroup.procs`).then(
      () => true,
      () => false,
    );
    if (isThere) {
      return hierarchy;
    }
  }
  throw new Error('this machine has no cgroups in /sys/fs/cgroup');
}
