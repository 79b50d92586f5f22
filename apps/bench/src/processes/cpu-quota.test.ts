import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { spawnGuarded } from '@asyncfn/guarded-process';
import { expect, test } from 'vitest';
import { limitCpus } from './cpu-quota.ts';
import { cpuMicros } from './cpu-time.ts';

const notHere = /limited by root alone|has no cgroups/;

/** The share of a core that a busy process uses, or why it cannot be limited here. */
async function shareOfBusyProcess(cpus: number): Promise<number | Error> {
  const busy = await spawnGuarded(process.execPath, ['-e', 'for (;;);']);
  try {
    await using _quota = await limitCpus(busy.pid, cpus);
    const before = { cpu: await cpuMicros(busy.pid), time: performance.now() };
    await delay(500);
    const micros = ((await cpuMicros(busy.pid)) ?? Number.NaN) - (before.cpu ?? Number.NaN);
    return micros / 1_000 / (performance.now() - before.time);
  } catch (error) {
    return error as Error;
  } finally {
    busy.signal('SIGKILL');
    await busy.exited;
  }
}

test('a process that would use a whole core gets its share, or the reason says why it cannot be limited here', async () => {
  const share = await shareOfBusyProcess(0.1);
  if (share instanceof Error) {
    expect(share.message).toMatch(notHere);
  } else {
    expect(share).toBeLessThan(0.3);
  }
});

test('a process that a limited one has started goes on without a limit', async () => {
  const quota = await limitCpus(process.pid, 1).catch((error: Error) => error);
  if (quota instanceof Error) {
    expect(quota.message).toMatch(notHere);
    return;
  }
  const child = await spawnGuarded(process.execPath, ['-e', 'setInterval(() => {}, 1_000);']);
  const readGroup = () => readFile(`/proc/${child.pid}/cgroup`, 'utf8');
  expect(await readGroup()).toContain('asyncfn-bench-');
  await quota[Symbol.asyncDispose]();
  expect(await readGroup()).not.toContain('asyncfn-bench-');
  child.signal('SIGKILL');
  await child.exited;
});

test('a process that does not exist cannot be limited', async () => {
  await expect(limitCpus(2 ** 30, 0.5)).rejects.toThrow(notHere);
});
