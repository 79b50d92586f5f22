import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppProcess, ProcessEndedError } from '../src/launch/app-process.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asyncfn-app-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Two servers like those of our processes; ready after `READY_AFTER` probes. */
const APP = `
import { createServer } from 'node:http';
let probes = 0;
const say = (server, { port }) => console.log(JSON.stringify({ level: 'info', msg: 'listening', server, port }));
const ops = createServer((_, response) => {
  response.statusCode = ++probes > Number(process.env.READY_AFTER) ? 200 : 503;
  response.end();
}).listen(0, '127.0.0.1', () => say('ops', ops.address()));
const api = createServer().listen(0, '127.0.0.1', () => say('gateway', api.address()));
process.on('SIGTERM', () => process.exit(0));
`;

async function start(code: string, env: Record<string, string> = {}) {
  const script = join(folder, 'app.mjs');
  await writeFile(script, code);
  const lines: string[] = [];
  const app = await AppProcess.start({
    node: process.execPath,
    name: 'gateway',
    script,
    env: { ...process.env, ...env },
    servers: 2,
    opsHost: '127.0.0.1',
    onLine: (line) => lines.push(line),
  });
  return { app, lines, [Symbol.asyncDispose]: async () => void (await app.stop(1_000)) };
}

const never = new AbortController().signal;

test('it is ready once its servers listen and /readyz says so, and then its ports are known', async () => {
  await using started = await start(APP, { READY_AFTER: '2' });
  const { app, lines } = started;
  await app.waitUntilReady(never);
  const ports = lines.map((line) => JSON.parse(line)).map(({ server, port }): [string, number] => [server, port]);
  expect(new Map(ports)).toEqual(
    new Map([
      ['ops', app.opsPort],
      ['gateway', app.apiPort],
    ]),
  );
});

test('the error for one that ends before it is ready names its exit code', async () => {
  await using started = await start('console.error("no such file"); process.exit(3);');
  const { app, lines } = started;
  const ready = app.waitUntilReady(never);
  await expect(ready).rejects.toThrow(ProcessEndedError);
  await expect(ready).rejects.toThrow('gateway has ended by itself, with exit code 3');
  expect(lines).toEqual(['no such file']);
});

test('one that ends because of its configuration makes that the error', async () => {
  await using started = await start('process.exit(78);');
  await expect(started.app.waitUntilReady(never)).rejects.toThrow(ConfigError);
});

test('the error for one that is killed names the signal', async () => {
  await using started = await start('process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);');
  await expect(started.app.waitUntilReady(never)).rejects.toThrow('killed by SIGKILL');
});

test('a stop before it is ready ends the wait', async () => {
  await using started = await start(APP, { READY_AFTER: '1000000' });
  const stop = new AbortController();
  const ready = started.app.waitUntilReady(stop.signal);
  await eventually(() => started.lines.length === 2);
  stop.abort(new Error('stopped'));
  await expect(ready).rejects.toThrow('stopped');
  expect(await started.app.stop(60_000)).toMatchObject({ code: 0 });
});
