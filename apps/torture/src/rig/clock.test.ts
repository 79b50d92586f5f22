import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '@asyncfn/testkit';
import { onTestFinished, test } from 'vitest';
import { clockModule, clockSetting, setClock } from './clock.ts';

/** Prints its times again and again: the time of day, in two ways, and the monotonic time. */
const teller = `setInterval(() => console.log(JSON.stringify([Date.now(), new Date().getTime(), new Date(5).getTime(),
  performance.timeOrigin + performance.now()])), 10)`;

test('the clock of a process jumps, forwards and back, and its monotonic clock does not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-clock-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'clock');
  const hook = `--import=data:text/javascript,${encodeURIComponent(clockModule)}`;
  const env = { ...process.env, [clockSetting]: file };
  const child = spawn(process.execPath, [hook, '--eval', teller], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  let off: number[] = [];
  createInterface(child.stdout).on('line', (line) => {
    const [now = 0, made = 0, given = 0, monotonic = 0] = JSON.parse(line) as number[];
    off = [...[now, made].map((at) => Math.round((at - monotonic) / 1_000) * 1_000), given];
  });
  for (const ms of [0, 60_000, -3_600_000, 0]) {
    await setClock(file, ms);
    await eventually(() => off.join() === [ms, ms, 5].join());
  }
});
