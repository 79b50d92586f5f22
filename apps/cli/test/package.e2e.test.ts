import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type {} from '@asyncfn/nats-server/vitest';
import { eventually, noteSpawned } from '@asyncfn/testkit';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { runCommand, startCommand } from './command.ts';

const packageFolder = fileURLToPath(new URL('../', import.meta.url));

let folder: string;
let main: string;

/** Nothing but Node and the tarball: npm may not ask a registry. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asyncfn-package-'));
  const pack = ['-y', 'pnpm@10', 'pack', '--pack-destination', folder];
  await promisify(execFile)('npx', pack, { cwd: packageFolder });
  const [tarball = ''] = await readdir(folder);
  const install = [
    'install',
    join(folder, tarball),
    '--offline',
    '--no-audit',
    '--no-fund',
    '--cache',
    join(folder, 'npm'),
  ];
  await promisify(execFile)('npm', install, { cwd: folder });
  main = join(folder, 'node_modules/asyncfn/dist/main.js');
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

test('the tarball alone runs everything, and makes a call', async () => {
  const env = { NATS_SERVER_BIN: inject('natsServerBin'), NO_COLOR: '1' };
  const dev = startCommand(['dev', '--port', '0'], { main, cwd: folder, env });
  let output = '';
  for (const stream of [dev.stdout, dev.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const exited = new Promise<number | NodeJS.Signals>((resolve) =>
    dev.once('exit', (code, signal) => resolve(code ?? signal ?? -1)),
  );
  noteSpawned({
    exited,
    get tail() {
      return output;
    },
  });
  try {
    await eventually(() => output.includes('Ctrl-C stops everything'));
    const [, line = '', url = ''] = /^ {2}npx asyncfn (call .*--url (\S+))$/m.exec(output) ?? [];
    const called = await runCommand(line.split(' '), { main });
    expect(called).toMatchObject({
      code: 0,
      stdout: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    });
    const pages = await Promise.all(
      ['/console', '/docs/', '/docs/static/swagger-ui.css'].map(async (path) => (await fetch(url + path)).status),
    );
    expect(pages).toEqual([200, 200, 200]);
    expect(await readdir(join(folder, '.asyncfn'))).toContain('nats');
    dev.kill('SIGINT');
    expect(await exited).toBe(0);
    expect(output).not.toMatch(/WARN|ERROR|FATAL|ExperimentalWarning/);
  } finally {
    dev.kill('SIGKILL');
  }
});

test('without any nats-server, dev says what to do', async () => {
  const env = { NATS_SERVER_BIN: '/nowhere/nats-server' };
  const ran = await runCommand(['dev', '--port', '0', '--data-dir', join(folder, 'other')], { main, cwd: folder, env });
  expect(ran.code).toBe(1);
  expect(ran.stdout + ran.stderr).toContain('NATS_SERVER_BIN cannot be used');
});

test('the package is what npm expects, and has no dependency', async () => {
  const installed = join(folder, 'node_modules/asyncfn');
  const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  expect(pkg).toMatchObject({ name: 'asyncfn', license: 'MIT', engines: { node: '>=20.18' } });
  expect(Object.keys({ ...pkg['dependencies'], ...pkg['optionalDependencies'] })).toEqual([]);
  expect((await readdir(installed)).toSorted()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
  expect(await readdir(join(installed, 'dist'))).toContain('THIRD-PARTY-LICENSES.md');
  expect(await readdir(join(folder, 'node_modules'))).toEqual(expect.not.arrayContaining(['fastify', 'undici']));
});
