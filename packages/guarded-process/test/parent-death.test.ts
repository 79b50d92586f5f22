import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GuardedOptions } from '../src/index.ts';
import { eventually, isAlive } from './processes.ts';

// A parent that can be killed is a process of its own, and Node 20 does not run TypeScript. So it gets the package as
// `tsc` builds it, which shows at the same time that a build finds the guardian.
let build: string;

beforeAll(async () => {
  build = await mkdtemp(join(tmpdir(), 'guarded-process-'));
  await writeFile(join(build, 'package.json'), '{"type":"module"}');
  const project = fileURLToPath(new URL('../tsconfig.build.json', import.meta.url));
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  await promisify(execFile)(process.execPath, [tsc, '-p', project, '--outDir', build]);
});

afterAll(() => rm(build, { recursive: true, force: true }));

interface Parent {
  readonly process: ChildProcess;
  readonly childPid: number;
  /** The output of parent and child so far. */
  readonly lines: string[];
}

/**
 * Starts a parent, in a process group of its own, that guards a script, and waits until that script has written `up`.
 */
async function startParent(script: string, options: GuardedOptions = {}): Promise<Parent> {
  const program = fileURLToPath(new URL('./guarding-parent.js', import.meta.url));
  const index = pathToFileURL(join(build, 'index.js')).href;
  const command = [program, index, JSON.stringify(options), process.execPath, '-e', script];
  const parent = spawn(process.execPath, command, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: parent.stdout }).on('line', (line) => lines.push(line));
  await eventually(() => expect(lines).toEqual(expect.arrayContaining(['up', expect.stringMatching(/^child: /)])));
  const childPid = Number(lines.find((line) => line.startsWith('child: '))?.slice('child: '.length));
  expect(isAlive(childPid)).toBe(true);
  return { process: parent, childPid, lines };
}

const STAYS = 'setInterval(() => {}, 1000); console.log("up");';

test('a child is gone soon after its parent was killed by SIGKILL', async () => {
  const parent = await startParent(STAYS);
  parent.process.kill('SIGKILL');
  await eventually(() => expect(isAlive(parent.childPid)).toBe(false));
});

test('an orphan may shut down in its own way', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'guarded-process-'));
  const file = join(folder, 'farewell');
  const script = `process.on('SIGTERM', () => { require('fs').writeFileSync(${JSON.stringify(file)}, ''); process.exit(); });`;
  const parent = await startParent(script + STAYS);
  parent.process.kill('SIGKILL');
  await eventually(() => expect(isAlive(parent.childPid)).toBe(false));
  // Fails if the farewell was not written.
  await rm(file);
  await rm(folder, { recursive: true });
});

test('an orphan that ignores SIGTERM is killed after its grace', async () => {
  const parent = await startParent(`process.on('SIGTERM', () => {});${STAYS}`, { orphanGraceMs: 200 });
  parent.process.kill('SIGKILL');
  await eventually(() => expect(isAlive(parent.childPid)).toBe(false));
});

test('an orphan that is paused goes too', async () => {
  const parent = await startParent(STAYS);
  process.kill(parent.childPid, 'SIGSTOP');
  parent.process.kill('SIGKILL');
  await eventually(() => expect(isAlive(parent.childPid)).toBe(false));
});

test('a Ctrl-C in the terminal reaches the parent and not the child', async () => {
  const script = `
    process.on('SIGINT', () => console.log('child: interrupted'));
    process.on('SIGUSR2', () => { console.log('last line'); process.exit(); });
  `;
  const parent = await startParent(script + STAYS);
  // As a terminal does: the signal goes to the whole foreground process group.
  process.kill(-parent.process.pid!, 'SIGINT');
  await eventually(() => expect(parent.lines).toContain('parent: interrupted'));
  parent.process.kill('SIGUSR2');
  await eventually(() => expect(parent.lines).toContain('last line'));
  expect(parent.lines).not.toContain('child: interrupted');
});

test('nothing keeps the parent once its child has ended', async () => {
  const parent = await startParent(`process.on('SIGUSR2', () => process.exit());${STAYS}`);
  const ended = once(parent.process, 'close');
  parent.process.kill('SIGUSR2');
  expect(await ended).toEqual([0, null]);
  expect(parent.lines.at(-1)).toBe('parent: done');
});
