import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually, noteSpawned } from '@asyncfn/testkit';
import { expect, test } from 'vitest';

const FIXTURE = fileURLToPath(new URL('./fixtures/service.mjs', import.meta.url));

interface Fixture extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  readonly output: { stdout: string; stderr: string };
  /** The fields of the first line with this sentence, once it has been logged. */
  says(sentence: string): Promise<Record<string, unknown>>;
}

/** Starts the fixture with nothing in its environment but these variables. */
function spawnFixture(env: Record<string, string> = {}): Fixture {
  const child = spawn(process.execPath, [FIXTURE], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.stderr += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => signal ?? code);
  noteSpawned({
    exited: ended,
    get tail() {
      return `--- fixture\n${output.stdout}${output.stderr}`;
    },
  });
  const lines = () => (output.stdout.match(/.*\n/g) ?? []).map((line) => JSON.parse(line));
  return {
    child,
    ended,
    output,
    says: (sentence) => eventually(() => lines().find(({ msg }) => msg === sentence), { message: sentence }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

test('a process logs its port, answers its probes, and ends with 0 after SIGTERM', async () => {
  await using fixture = spawnFixture();
  const { port } = await fixture.says('listening');
  await fixture.says('started');
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  fixture.child.kill('SIGTERM');
  expect(await fixture.ended).toBe(0);
  expect(await fixture.says('stopped')).toMatchObject({ name: 'fixture', level: 'info', exitCode: 0 });
  expect(fixture.output.stderr).toBe('');
});

test('a signal in the first moments of a process stops it cleanly as well', async () => {
  await using fixture = spawnFixture();
  await fixture.says('listening');
  fixture.child.kill('SIGINT');
  expect(await fixture.ended).toBe(0);
});

test('bad configuration is 78, every problem on stderr, nothing on stdout', async () => {
  await using fixture = spawnFixture({ OPS_PORT: '70000', LOG_LEVEL: 'loud' });
  expect(await fixture.ended).toBe(78);
  expect(fixture.output.stdout).toBe('');
  expect(fixture.output.stderr).toBe(
    [
      'LOG_LEVEL: "loud" is not one of trace, debug, info, warn, error, fatal, silent; for example info',
      'OPS_PORT: "70000" is not a whole number between 0 and 65535; for example 0',
      '',
    ].join('\n'),
  );
});

test('a port in use is 1, and the log says why', async () => {
  await using first = spawnFixture();
  const { port } = await first.says('listening');
  await using second = spawnFixture({ OPS_PORT: String(port) });
  expect(await second.ended).toBe(1);
  expect(await second.says('start failed')).toMatchObject({
    level: 'fatal',
    err: { message: expect.stringContaining('the port is in use'), cause: { code: 'EADDRINUSE' } },
  });
});

test('an unhandled rejection is logged, and the process ends with 1', async () => {
  await using fixture = spawnFixture({ SCENARIO: 'forgets a rejection' });
  expect(await fixture.ended).toBe(1);
  expect(await fixture.says('unhandled rejection')).toMatchObject({ level: 'fatal', err: { message: 'forgotten' } });
  await fixture.says('stopped');
});

test('a second signal ends a process that hangs', async () => {
  await using fixture = spawnFixture({ SCENARIO: 'hangs on stop' });
  await fixture.says('started');
  fixture.child.kill('SIGTERM');
  await fixture.says('stop requested');
  fixture.child.kill('SIGTERM');
  expect(await fixture.ended).toBe(1);
});

test('a handle left open does not keep a stopped process alive', async () => {
  await using fixture = spawnFixture({ SCENARIO: 'leaves a handle open' });
  await fixture.says('started');
  fixture.child.kill('SIGTERM');
  expect(await fixture.ended).toBe(0);
  await fixture.says('ended by force: handles were left open');
});

test('LOG_FORMAT=console is for people', async () => {
  await using fixture = spawnFixture({ LOG_FORMAT: 'console' });
  await eventually(() => /INFO \(fixture\): listening \{.*"port":\d+/.test(fixture.output.stdout));
});

test('the running service handles a signal that comes at the last moment of loading', async () => {
  const fixture = fileURLToPath(new URL('./fixtures/signal-while-loading.mjs', import.meta.url));
  const child = spawn(process.execPath, [fixture], { stdio: 'inherit' });
  expect(await once(child, 'close')).toEqual([42, null]);
});
