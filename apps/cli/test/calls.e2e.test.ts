import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {} from '@asyncfn/nats-server/vitest';
import { type Stack, startStack } from '@asyncfn/stack';
import { echo, eventually, hash, sleep, startTestFunction, status } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type RunOptions, runCommand, startCommand } from './command.ts';

const sha256OfHello = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

const parts: AsyncDisposable[] = [];
let stack: Stack;
let folder: string;

beforeAll(async () => {
  const functions: Record<string, { url: string }> = {};
  const behaviours = { hash, echo, slow: sleep(60_000), rejected: status(400) };
  for (const [name, handler] of Object.entries(behaviours)) {
    const served = await startTestFunction({ handler });
    parts.unshift(served);
    functions[name] = { url: served.url };
  }
  stack = await startStack({ natsServerBin: inject('natsServerBin'), functions });
  parts.unshift(stack);
  folder = await mkdtemp(join(tmpdir(), 'asyncfn-cli-'));
});

afterAll(async () => {
  for (const part of parts) {
    await part[Symbol.asyncDispose]();
  }
  await rm(folder, { recursive: true, force: true });
});

const run = (args: string[], options: RunOptions = {}) =>
  runCommand(args, { ...options, env: { ASYNCFN_URL: stack.gateway.url, ...options.env } });

test('a call that is waited for prints the response of the function', async () => {
  expect(await run(['call', 'hash', '-d', 'hello', '--wait'])).toMatchObject({
    code: 0,
    stdout: sha256OfHello,
    stderr: '',
  });
  await writeFile(join(folder, 'body'), 'hello');
  expect((await run(['call', 'hash', '-d', `@${join(folder, 'body')}`, '--wait'])).stdout).toBe(sha256OfHello);
  expect((await run(['call', 'hash', '-d', '-', '--wait'], { stdin: 'hello' })).stdout).toBe(sha256OfHello);
  const toFile = await run(['call', 'echo/a?b=1', '-d', 'hello', '-o', join(folder, 'out')]);
  expect(toFile).toMatchObject({ code: 0, stdout: '' });
  expect(await readFile(join(folder, 'out'), 'utf8')).toContain('hello');
});

test('a call prints its id, by which it is shown and its result is read', async () => {
  const label = 'kind=story';
  const made = await run(['call', 'echo', '-d', 'hello', '-H', 'Content-Type: text/x-own', '--label', label]);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  const callId = made.stdout.trim();
  const shown = await run(['get', callId, '--wait']);
  expect(shown.code).toBe(0);
  expect(shown.stdout).toMatch(/^status +succeeded$/m);
  expect(shown.stdout).toMatch(/^labels +kind=story$/m);
  const state = JSON.parse((await run(['get', callId, '--json'])).stdout);
  expect(state).toMatchObject({ callId, function: 'echo', status: 'succeeded', labels: [label] });
  const result = await run(['result', callId, '--include']);
  expect(result.stdout).toContain('hello');
  expect(result.stderr).toMatch(/^200$/m);
  const json = JSON.parse((await run(['result', callId, '--json'])).stdout);
  expect(json).toMatchObject({ callId, status: 200, body: expect.stringContaining('hello') });
});

test('a call has a flow key, and says how many of its calls may run', async () => {
  const flags = ['--flow-key', 'orders/7', '--flow-parallelism', '3', '--flow-rate', '10/1h'];
  expect(await run(['call', 'echo', '-d', 'hello', '--wait', ...flags])).toMatchObject({ code: 0 });
  // Its end counts for the rate, so the limits are known for an hour.
  const shown = JSON.parse((await run(['flows', 'show', 'echo', 'orders/7', '--json'])).stdout);
  expect(shown).toMatchObject({ parallelism: 3, rate: '10/1h' });
  expect(await run(['call', 'echo', '--flow-rate', '10/1h'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--flow-key'),
  });
});

test('the same key makes the same call, and --json says so', async () => {
  const call = async () =>
    JSON.parse((await run(['call', 'hash', '-d', 'x', '--idempotency-key', 'order-1', '--json'])).stdout);
  const first = await call();
  expect(first).toMatchObject({ function: 'hash', status: 'queued', replayed: false });
  expect(await call()).toMatchObject({ callId: first.callId, replayed: true });
});

test('a call that fails ends with 1, and one that has not ended in time with 5', async () => {
  const failed = await run(['call', 'rejected', '--wait']);
  expect(failed).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('rejected (1 attempt, the function answered 400)'),
  });
  expect(JSON.parse((await run(['call', 'rejected', '--wait', '--json'])).stdout)).toMatchObject({
    status: 'failed',
    result: { status: 400 },
  });
  const open = await run(['call', 'slow', '--call-id', 'open-1', '--wait-time', '200ms']);
  expect(open).toMatchObject({ code: 5, stderr: expect.stringMatching(/still (queued|running)/) });
  expect((await run(['get', 'open-1', '--wait-time', '100ms'])).code).toBe(5);
  expect(await run(['cancel', 'open-1'])).toMatchObject({ code: 0, stdout: 'open-1 cancelled\n' });
  expect(await run(['cancel', 'open-1', '--json'])).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('"already_ended"'),
  });
});

test('Ctrl-C while waiting ends with 130, and leaves the call running', async () => {
  const child = startCommand(['call', 'slow', '--call-id', 'left-1', '--wait'], {
    env: { ASYNCFN_URL: stack.gateway.url },
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await eventually(async () => (await run(['get', 'left-1'])).code === 0);
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(await run(['cancel', 'left-1'])).toMatchObject({ code: 0 });
});

test('what the gateway refuses ends with 4, in words', async () => {
  const unknown = await run(['call', 'nope']);
  expect(unknown).toMatchObject({ code: 4, stdout: '' });
  expect(unknown.stderr).toMatch(/^error: No such function: .*\(unknown_function\)\n.*asyncfn functions list/);
  const json = await run(['get', 'nope', '--json']);
  expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'call_not_found', exitCode: 4 } });
});

test('a gateway that does not answer ends with 3, and its URL is named', async () => {
  const closedPort = 'http://127.0.0.1:9';
  for (const ran of [
    await run(['get', 'x', '--url', closedPort]),
    await run(['get', 'x'], { env: { ASYNCFN_URL: closedPort } }),
  ]) {
    expect(ran).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`error: ${closedPort}: The gateway does not answer`),
    });
  }
});

test('the token of a profile is sent to its gateway', async () => {
  const guarded = await stack.startGateway({ AUTH_TOKENS_FILE: await writeTokens() });
  const profile = join(folder, 'asyncfn', 'config.yaml');
  const token = (await readFile(join(folder, 'token'), 'utf8')).trim();
  const env = { XDG_CONFIG_HOME: folder, ASYNCFN_URL: '' };
  await writeProfile(profile, `profiles:\n  default: { url: "${guarded.url}", token: "${token}" }\n`);
  expect(await run(['call', 'hash', '-d', 'hello', '--wait'], { env })).toMatchObject({
    code: 0,
    stdout: sha256OfHello,
  });
  const without = await run(['call', 'hash'], { env: { ASYNCFN_URL: guarded.url } });
  expect(without).toMatchObject({ code: 4, stderr: expect.stringContaining('Set ASYNCFN_TOKEN') });
});

/** Makes a token with the command, and puts its entry into a tokens file. */
async function writeTokens(): Promise<string> {
  const made = JSON.parse((await run(['token', 'create', 'web', '--scope', 'admin', '--json'])).stdout);
  const file = join(folder, 'tokens.yaml');
  await writeFile(file, `tokens:\n${made.entry}`);
  await writeFile(join(folder, 'token'), made.token);
  return file;
}

async function writeProfile(path: string, text: string): Promise<void> {
  const { mkdir } = await import('node:fs/promises');
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
}
