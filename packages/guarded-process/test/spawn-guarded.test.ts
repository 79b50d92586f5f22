import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { startGuardian } from '../src/guardian.ts';
import { type GuardedOptions, type GuardedProcess, spawnGuarded } from '../src/index.ts';
import { eventually, isAlive, threadStates } from './processes.ts';

const node = process.execPath;

/** A child that runs a script, and the lines it has written to stdout so far. */
async function spawnScript(
  script: string,
  options: GuardedOptions = {},
): Promise<{ child: GuardedProcess; lines: string[] }> {
  const lines: string[] = [];
  const child = await spawnGuarded(node, ['-e', script], { ...options, onLine: (line) => lines.push(line) });
  return { child, lines };
}

describe('the end of a child', () => {
  test('a code is reported', async () => {
    const { child } = await spawnScript('process.exit(3)');
    expect(await child.exited).toEqual({ code: 3, signal: null });
  });

  test('a signal is reported', async () => {
    const { child } = await spawnScript('process.kill(process.pid, "SIGABRT")');
    expect(await child.exited).toEqual({ code: null, signal: 'SIGABRT' });
  });

  test('a child that ends at once is reported like any other', async () => {
    const exits = Array.from({ length: 10 }, async () => (await spawnGuarded('true', [])).exited);
    expect(await Promise.all(exits)).toEqual(Array(10).fill({ code: 0, signal: null }));
  });

  test('is not held up by a grandchild that keeps the output open', async () => {
    const { child, lines } = await spawnScript(`
      const { pid } = require('node:child_process').spawn('sleep', ['60'], { stdio: 'inherit', detached: true });
      console.log(pid);
      process.exit(0);
    `);
    expect(await child.exited).toEqual({ code: 0, signal: null });
    process.kill(Number(lines[0]), 'SIGKILL');
  });
});

describe('a command that cannot be run', () => {
  test.for([
    { what: 'that is not there', command: 'no-such-command', options: {}, code: 'not_found' },
    { what: 'that is not executable', command: '/etc/passwd', options: {}, code: 'not_executable' },
    { what: 'in a folder that is not there', command: node, options: { cwd: '/no/such' }, code: 'not_found' },
  ])('$what is refused by name', async ({ command, options, code }) => {
    const spawned = spawnGuarded(command, [], options);
    await expect(spawned).rejects.toMatchObject({ name: 'SpawnError', code });
    await expect(spawned).rejects.toThrow(options.cwd ?? command);
  });
});

describe('output', () => {
  test('lines of both streams arrive in order, the unfinished last one too, before the end is reported', async () => {
    const seen: Record<string, string[]> = { stdout: [], stderr: [] };
    const child = await spawnGuarded(
      node,
      ['-e', 'for (let i = 0; i < 5000; i++) console.log(i); console.error("oops"); process.stdout.write("last")'],
      { onLine: (line, stream) => seen[stream]?.push(line) },
    );
    await child.exited;
    expect(seen).toEqual({ stdout: [...Array.from({ length: 5000 }, (_, i) => `${i}`), 'last'], stderr: ['oops'] });
  });

  test('a full pipe does not stop a child whose output is not read', async () => {
    const child = await spawnGuarded(node, ['-e', 'require("fs").writeSync(1, "x".repeat(1e6))']);
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  test('the child gets its arguments, folder and environment untouched', async () => {
    const lines: string[] = [];
    const child = await spawnGuarded(
      node,
      ['-p', 'JSON.stringify([process.argv[1], process.cwd(), process.env])', 'a "b" $c'],
      {
        cwd: tmpdir(),
        env: { ONLY: 'this' },
        onLine: (line) => lines.push(line),
      },
    );
    await child.exited;
    expect(JSON.parse(lines[0]!)).toEqual(['a "b" $c', tmpdir(), { ONLY: 'this' }]);
  });
});

describe('stopping', () => {
  const STAYS =
    'setInterval(() => {}, 1000); process.on("SIGTERM", () => { console.log("asked"); process.exit(7); }); console.log("up")';
  const STUBBORN = 'setInterval(() => {}, 1000); process.on("SIGTERM", () => console.log("asked")); console.log("up")';

  test('sends SIGTERM and waits for the child to end in its own way', async () => {
    const { child, lines } = await spawnScript(STAYS);
    await eventually(() => expect(lines).toEqual(['up']));
    expect(await child.stop()).toEqual({ code: 7, signal: null });
    expect(lines).toEqual(['up', 'asked']);
  });

  test('kills a child that does not obey, after the time limit', async () => {
    const { child, lines } = await spawnScript(STUBBORN);
    await eventually(() => expect(lines).toEqual(['up']));
    expect(await child.stop(3_000)).toEqual({ code: null, signal: 'SIGKILL' });
    expect(lines).toEqual(['up', 'asked']);
    expect(isAlive(child.pid)).toBe(false);
  });

  test('reaches a paused child', async () => {
    const { child, lines } = await spawnScript(STAYS);
    await eventually(() => expect(lines).toEqual(['up']));
    await child.pause();
    expect(await child.stop()).toEqual({ code: 7, signal: null });
  });

  test('is shared by all callers and legal after the end', async () => {
    const { child, lines } = await spawnScript(STAYS);
    await eventually(() => expect(lines).toEqual(['up']));
    const exits = await Promise.all([child.stop(), child.stop(1)]);
    expect([...exits, await child.stop()]).toEqual(Array(3).fill({ code: 7, signal: null }));
    child.signal('SIGKILL');
  });

  test('happens at the end of an await-using scope', async () => {
    let pid = 0;
    {
      await using child = await spawnGuarded('sleep', ['60']);
      pid = child.pid;
    }
    expect(isAlive(pid)).toBe(false);
  });
});

describe('the guardian', () => {
  const STAYS =
    'setInterval(() => {}, 1000); process.on("SIGUSR2", () => console.log("still here")); console.log("up")';

  async function guardianPid(): Promise<number> {
    return (await startGuardian()).pid!;
  }

  test('is one process for all children', async () => {
    await using one = await spawnGuarded('sleep', ['60']);
    const pid = await guardianPid();
    await using other = await spawnGuarded('sleep', ['60']);
    expect(await guardianPid()).toBe(pid);
    expect(new Set([pid, one.pid, other.pid]).size).toBe(3);
  });

  test('outlives the signals that are meant for others', async () => {
    const { child, lines } = await spawnScript(STAYS);
    await eventually(() => expect(lines).toContain('up'));
    const guardian = await guardianPid();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.kill(guardian, signal);
    }
    child.signal('SIGUSR2');
    await eventually(() => expect(lines).toContain('still here'));
    expect(await child.stop()).toEqual({ code: null, signal: 'SIGTERM' });
    expect(isAlive(guardian)).toBe(true);
  });

  test('when it is killed itself the children go with it and their end is reported, and the next child has another', async () => {
    const { child } = await spawnScript(STAYS);
    const other = await spawnGuarded('sleep', ['60']);
    const guardian = await guardianPid();
    process.kill(guardian, 'SIGKILL');
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await other.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await eventually(() => expect([child.pid, other.pid, guardian].filter(isAlive)).toEqual([]));
    await using next = await spawnGuarded('sleep', ['60']);
    expect(isAlive(next.pid)).toBe(true);
    expect(await guardianPid()).not.toBe(guardian);
  });
});

test('a paused child has stopped with all its threads when pause() resolves, and continues on SIGCONT', async () => {
  const { child, lines } = await spawnScript(`
    const { Worker } = require('node:worker_threads');
    const counts = new Int32Array(new SharedArrayBuffer(16));
    const busy = 'const { workerData: c } = require("node:worker_threads"); for (;;) Atomics.add(c.counts, c.at, 1);';
    for (let at = 0; at < 4; at++) new Worker(busy, { eval: true, workerData: { counts, at } });
    setInterval(() => console.log(counts.join()), 1);
  `);
  await eventually(() => expect(lines.at(-1)).toMatch(/^[1-9]\d*(,[1-9]\d*){3}$/));
  await child.pause();
  expect(threadStates(child.pid)).toEqual(threadStates(child.pid).map(() => 'T'));
  const seen = lines.length;
  child.signal('SIGCONT');
  await eventually(() => expect(lines.length).toBeGreaterThan(seen + 1));
  child.signal('SIGKILL');
  await child.exited;
});
