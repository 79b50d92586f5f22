import type {} from '@asyncfn/nats-server/vitest';
import { type Stack, startStack } from '@asyncfn/stack';
import { eventually, hash, startTestFunction, status, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { runCommand, startCommand } from './command.ts';

const parts: AsyncDisposable[] = [];
let stack: Stack;
let served: TestFunction;

beforeAll(async () => {
  served = await startTestFunction({ handler: hash });
  const rejected = await startTestFunction({ handler: status(400) });
  const functions = { hash: { url: served.url }, rejected: { url: rejected.url }, idle: { url: served.url } };
  const groups = { both: ['hash', 'idle'] };
  stack = await startStack({ natsServerBin: inject('natsServerBin'), functions, groups });
  parts.push(stack, served, rejected);
});

afterAll(async () => {
  for (const part of parts) {
    await part[Symbol.asyncDispose]();
  }
});

const run = (...args: string[]) => runCommand(args, { env: { ASYNCFN_URL: stack.gateway.url } });

async function documentsOf(...args: string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : JSON.parse(line)));
}

test('calls are found by their filters, as a table and as JSON', async () => {
  await run('call', 'hash', '-d', 'x', '--call-id', 'found-1', '--label', 'kind=one', '--wait');
  await run('call', 'rejected', '--call-id', 'found-2', '--label', 'kind=two', '--wait');
  await eventually(async () => (await documentsOf('calls', '--from', '1h')).length === 2);
  const table = await run('calls');
  const [titles, ...rows] = table.stdout.trimEnd().split('\n');
  expect(titles).toMatch(/^call +function +status +answer +tries +created +why +labels$/);
  expect(rows).toEqual([
    expect.stringMatching(/^found-2 +rejected +failed +400 +1 +\d+s ago +rejected +kind=two$/),
    expect.stringMatching(/^found-1 +hash +succeeded +200 +1 +\d+s ago +kind=one$/),
  ]);
  expect(await documentsOf('calls', '--status', 'failed', '--status', 'expired')).toMatchObject([
    { callId: 'found-2' },
  ]);
  expect(await documentsOf('calls', '--label', 'kind=one', '--function', 'hash')).toMatchObject([
    { callId: 'found-1' },
  ]);
  expect(await documentsOf('calls', '--limit', '1')).toMatchObject([{ callId: 'found-2' }]);
  expect(await run('calls', '--status', 'bad')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('scheduled, queued'),
  });
  expect(await run('calls', '--watch')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('asyncfn tail --json'),
  });
});

test('tail prints what happens to calls, for people and for programs, until Ctrl-C', async () => {
  const follow = (...args: string[]) => {
    const child = startCommand(['tail', ...args], { env: { ASYNCFN_URL: stack.gateway.url } });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    return { child, text: () => output, exited: new Promise((resolve) => child.once('exit', resolve)) };
  };
  const [people, programs] = [follow('--function', 'hash'), follow('--json')];
  // Until both are connected.
  await eventually(async () => {
    await run('call', 'hash', '-d', 'x', '--wait');
    return people.text().includes('ended') && programs.text().includes('"ended"');
  });
  expect(people.text()).toMatch(/^\d\d:\d\d:\d\d ended {5}\S+ {2}hash {2}succeeded {2}200$/m);
  const events = programs
    .text()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'ended', call: expect.objectContaining({ function: 'hash' }) }),
  );
  for (const { child, exited } of [people, programs]) {
    child.kill('SIGINT');
    expect(await exited).toBe(130);
  }
});

test('a group is called with --group, and a call of one without it leads to its calls', async () => {
  const done = await run('call', 'both', '-d', 'x', '--group', '--wait');
  expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/^total +2$/m) });
  expect(await documentsOf('call', 'both', '--group')).toMatchObject([{ accepted: 2, refused: 0 }]);
  expect(await run('call', 'both')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/asyncfn calls --batch \S+ shows them/),
  });
});

test('functions are set, shown, paused, purged, resumed and removed', async () => {
  expect(
    await run('functions', 'set', 'own', served.url, '--concurrency', '5', '--rate', '9/1s', '--retries', '3'),
  ).toMatchObject({
    code: 0,
  });
  expect(await documentsOf('functions', 'show', 'own')).toMatchObject([
    { name: 'own', url: served.url, concurrency: 5, rate: '9/1s', retry: { attempts: 3 }, source: 'api' },
  ]);
  expect(await run('functions', 'set', 'own', served.url, '--new')).toMatchObject({ code: 4 });
  expect(await run('functions', 'set', 'own', '--settings', '[]')).toMatchObject({ code: 2 });
  expect(await run('functions', 'pause', 'own')).toMatchObject({ code: 0, stdout: 'own is paused\n' });
  expect((await run('functions')).stdout).toMatch(/^own +default +paused +5 /m);
  // Until the worker knows of the pause.
  await eventually(async () => {
    await run('call', 'own');
    return /"function":"own","depth":[1-9]/.test((await run('queues', 'show', 'default', '--json')).stdout);
  });
  expect(await run('functions', 'purge', 'own')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
  expect(await documentsOf('functions', 'purge', 'own', '--yes')).toEqual([
    { function: 'own', purged: expect.any(Number) },
  ]);
  expect(await run('functions', 'resume', 'own')).toMatchObject({ code: 0, stdout: 'own is active\n' });
  expect(await run('functions', 'remove', 'own', '--yes')).toMatchObject({ code: 0 });
  expect(await run('functions', 'show', 'own')).toMatchObject({ code: 4 });
});

test('queues are listed, and purged only when that is confirmed', async () => {
  expect((await run('queues')).stdout).toMatch(/^queue +waiting .*\ndefault +0 /);
  expect(await documentsOf('queues')).toMatchObject([{ queue: 'default' }]);
  expect(await run('queues', 'purge', 'default')).toMatchObject({ code: 2 });
  expect(await run('queues', 'purge', 'default', '--yes')).toMatchObject({ code: 0, stdout: '0 calls cancelled\n' });
});

test('dead letters are listed, shown, replayed and dropped', async () => {
  await run('call', 'rejected', '--call-id', 'dead-1', '--wait');
  await eventually(async () => (await run('dead-letters', 'show', 'dead-1')).code === 0);
  expect((await run('dead-letters', '--function', 'rejected')).stdout).toMatch(
    /^dead-1 +call +rejected +rejected +400 +1 /m,
  );
  expect((await run('dead-letters', 'show', 'dead-1')).stdout).toMatch(
    /^attempt +started +took +answer +verdict\n +1 /m,
  );
  expect(await documentsOf('dead-letters', 'replay', 'dead-1')).toEqual([{ callId: 'dead-1', replayed: true }]);
  await eventually(async () => (await documentsOf('get', 'dead-1'))[0]?.['replays'] === 1);
  await run('get', 'dead-1', '--wait');
  const [all] = await documentsOf('dead-letters', 'replay', '--all', '--reason', 'rejected');
  expect(all).toMatchObject({ replayed: expect.any(Number) });
  await eventually(async () => (await run('dead-letters', 'drop', 'dead-1', '--yes')).code === 0, {
    timeoutMs: 30_000,
  });
  expect(await run('dead-letters', 'show', 'dead-1')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('dead_letter_not_found'),
  });
  expect(await run('dead-letters', 'replay')).toMatchObject({ code: 2 });
});

test('flow keys are paused, pinned, listed, unpinned and resumed', async () => {
  expect(await run('flows', 'pause', 'hash', 'a/b')).toMatchObject({ code: 0 });
  expect(await run('call', 'hash', '-d', 'x', '-H', 'X-Flow-Key: a/b')).toMatchObject({ code: 0 });
  const pinned = await documentsOf('flows', 'pin', 'hash', 'a/b', '--parallelism', '3', '--rate', '9/1m');
  expect(pinned).toMatchObject([{ key: 'a/b', waiting: 1, parallelism: 3, rate: '9/1m', pinned: true }]);
  expect((await run('flows')).stdout).toMatch(/hash +a\/b +1 +0 +3 +9\/1m +paused, pinned/);
  expect(await documentsOf('flows', 'unpin', 'hash', 'a/b')).toMatchObject([{ parallelism: 1, pinned: false }]);
  expect((await run('flows', 'resume', 'hash', 'a/b')).stdout).toMatch(/^paused +false$/m);
});

test('schedules are set, triggered, shown, paused, resumed and removed', async () => {
  const set = ['schedules', 'set', 'nightly', 'hash'];
  expect(await run(...set, '--cron', '0 3 * * *', '--time-zone', 'Europe/Berlin', '-d', 'x')).toMatchObject({
    code: 0,
  });
  expect((await run('schedules')).stdout).toMatch(
    /\nnightly +hash +0 3 \* \* \* Europe\/Berlin +active +in \d+[hm] +api$/m,
  );
  const [{ callId } = {}] = await documentsOf('schedules', 'trigger', 'nightly');
  expect(await run('get', String(callId), '--wait')).toMatchObject({ code: 0 });
  const shown = await run('schedules', 'show', 'nightly');
  expect(shown.stdout.match(/^next .*$/gm)).toHaveLength(5);
  expect(shown.stdout).toContain(String(callId));
  expect(await run('schedules', 'pause', 'nightly')).toMatchObject({ code: 0, stdout: 'nightly is paused\n' });
  expect(await documentsOf('schedules', 'list')).toMatchObject([{ name: 'nightly', paused: true, body: 'x' }]);
  expect(await documentsOf('schedules', 'resume', 'nightly')).toMatchObject([{ name: 'nightly', paused: false }]);
  expect(await run('schedules', 'remove', 'nightly')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--yes'),
  });
  expect(await run('schedules', 'remove', 'nightly', '--yes')).toMatchObject({ code: 0 });
  expect(await run('schedules', 'show', 'nightly')).toMatchObject({ code: 4 });
  expect(await run(...set)).toMatchObject({ code: 2, stderr: expect.stringContaining('--cron or --every') });
});

test('names of functions are completed as the gateway knows them', async () => {
  expect((await run('complete', '--', 'call', 'ha')).stdout).toBe('hash\tfunction\n');
  expect((await run('complete', '--', 'functions', 'pause', '')).stdout).toMatch(/^hash\t.*\nidle\t.*\nrejected\t/);
});
