import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, startCallbackReceiver } from '@asyncfn/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isRunning, paste, startLauncher } from './launcher.ts';

const SHA256_OF_HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'asyncfn-local-'));
});
// A launcher that a test has killed leaves its nats-server to end by itself: it may still write meanwhile.
afterEach(() => rm(stateDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

const launch = (env: Record<string, string> = {}) => startLauncher({ STATE_DIR: stateDir, ...env });

test('the printed lines work when pasted, and Ctrl-C ends everything with exit code 0', async () => {
  await using launcher = launch();
  const [first, second, third] = await launcher.waitForCurlLines();
  expect(await paste(first!)).toMatch(/^HTTP\/1.1 202 .*"function":"echo"/s);
  expect(await paste(second!)).toMatch(/^HTTP\/1.1 202 .*"function":"hash"/s);
  await eventually(async () => (await paste(third!)).includes(SHA256_OF_HELLO));
  expect(await paste(third!)).toMatch(/^1 callback, newest first\n\n\S+ {2}200 {2}hash .* {2}signature: valid\n/);

  const pids = await Promise.all([launcher.pidOf('gateway'), launcher.pidOf('worker')]);
  launcher.signal('SIGINT');
  expect(await launcher.exited).toBe(0);
  expect(pids.some(isRunning)).toBe(false);
  expect(launcher.text()).not.toMatch(/^\S+ +\| {5}at |ERROR|FATAL/m);
});

test('every page in the banner can be visited', async () => {
  await using launcher = launch();
  await launcher.waitForCurlLines();
  const urls = launcher.text().match(/http:\/\/\S+\/(docs|metrics|(?=[ \n]))/g) ?? [];
  expect(urls).toHaveLength(6);
  const statuses = await Promise.all(urls.map(async (url) => [url, (await fetch(url)).status]));
  expect(statuses.filter(([, status]) => status !== 200)).toEqual([]);
});

test('calls that are queued or running at Ctrl-C end after the next start', async () => {
  await using receiver = await startCallbackReceiver();
  const enqueue = async (gateway: string, callId: string) => {
    const headers = { 'X-Callback-Url': receiver.url, 'X-Call-Id': callId };
    const answer = await fetch(`${gateway}/async-function/sleep?ms=4000`, { method: 'POST', headers });
    expect(answer.status).toBe(202);
  };
  {
    await using launcher = launch({ SHUTDOWN_TIMEOUT: '200ms', MAX_INFLIGHT: '1', ACK_WAIT: '2s' });
    const [first] = await launcher.waitForCurlLines();
    const gateway = /http:\/\/[^/]+/.exec(first!)![0];
    for (const callId of ['running', 'queued']) {
      await enqueue(gateway, callId);
    }
    launcher.signal('SIGINT');
    expect(await launcher.exited).toBe(0);
  }
  expect(receiver.callbacks).toHaveLength(0);
  await using launcher = launch({ ACK_WAIT: '2s' });
  await launcher.waitForCurlLines();
  const callbacks = await receiver.waitForCallbacks(2);
  expect(new Set(callbacks.map(({ callId }) => callId))).toEqual(new Set(['queued', 'running']));
});

test('a worker that dies is named, and everything ends with exit code 1', async () => {
  await using launcher = launch();
  await launcher.waitForCurlLines();
  const gateway = await launcher.pidOf('gateway');
  process.kill(await launcher.pidOf('worker'), 'SIGKILL');
  expect(await launcher.exited).toBe(1);
  expect(launcher.text()).toContain('worker has ended by itself, killed by SIGKILL');
  expect(isRunning(gateway)).toBe(false);
});

test('a launcher that is killed leaves no process behind', async () => {
  await using launcher = launch();
  await launcher.waitForCurlLines();
  const pids = await Promise.all([launcher.pidOf('gateway'), launcher.pidOf('worker')]);
  launcher.signal('SIGKILL');
  await launcher.exited;
  await eventually(() => !pids.some(isRunning));
});

test('a launcher whose output has no reader any more stops everything', async () => {
  await using launcher = launch();
  await launcher.waitForCurlLines();
  const pids = await Promise.all([launcher.pidOf('gateway'), launcher.pidOf('worker')]);
  const [first] = await launcher.waitForCurlLines();
  launcher.stopReading();
  // Makes it write something, unless it has written in the meantime and is gone.
  await paste(first!).catch(() => {});
  expect(await launcher.exited).toBe(0);
  expect(pids.some(isRunning)).toBe(false);
});

test('a bad signing secret is refused before anything runs, and not shown', async () => {
  await using launcher = launch({ CALLBACK_SIGNING_SECRETS: 'whsec_hunter2' });
  expect(await launcher.exited).toBe(78);
  expect(launcher.text()).toMatch(/^CALLBACK_SIGNING_SECRETS: its value \(not shown\) is not /);
  expect(launcher.text()).not.toContain('hunter2');
});

test('a port in use is reported in one line with the variable to set, before anything runs', async () => {
  const blocker = createServer();
  await once(blocker.listen(0, '127.0.0.1'), 'listening');
  const { port } = blocker.address() as { port: number };
  await using launcher = launch({ PORT: String(port), OPS_PORT: '0', INBOX_PORT: '0', FUNCTIONS_PORT: '0' });
  expect(await launcher.exited).toBe(1);
  expect(launcher.lines).toHaveLength(2);
  expect(launcher.lines[0]).toContain(`port ${port} (gateway) is in use. Set PORT to another port`);
  blocker.close();
});

test('a mistake in a functions file is reported with its line, and everything ends with exit code 78', async () => {
  const functionsFile = join(stateDir, 'wrong.yaml');
  await writeFile(functionsFile, 'functions:\n  a: { url: nowhere }\n');
  await using launcher = launch({ FUNCTIONS_FILE: functionsFile });
  expect(await launcher.exited).toBe(78);
  expect(launcher.text()).toContain(`FUNCTIONS_FILE: ${functionsFile}:2: functions.a.url must be`);
  expect(launcher.text()).toMatch(/^(gateway|worker): cannot run with this configuration, as it says above$/m);
});

test('a second launcher on the same state folder is refused', async () => {
  await using launcher = launch();
  await launcher.waitForCurlLines();
  await using second = launch();
  expect(await second.exited).toBe(1);
  expect(second.text()).toContain('another process is running with');
});
