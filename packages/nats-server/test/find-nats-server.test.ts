import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { findNatsServer } from '../src/index.ts';
import { fakeServer, RELEASE } from './release-site.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

/** Puts a program that prints this version into a folder below `folder`. */
async function installFake(folder: string, name: string, version: string): Promise<string> {
  await mkdir(join(folder, name), { recursive: true });
  const path = join(folder, name, 'nats-server');
  await writeFile(path, fakeServer(version), { mode: 0o755 });
  return path;
}

test('the binary in the options is used, before any other', async () => {
  await using folder = await createTemporaryFolder();
  const asked = await installFake(folder.path, 'asked', '2.12.0');
  await installFake(folder.path, 'path', '2.15.1');
  const env = { NATS_SERVER_BIN: asked, PATH: join(folder.path, 'path') };
  expect(await findNatsServer({ env })).toEqual({ path: asked, version: '2.12.0', source: 'env' });
});

test.each([
  ['is not there', undefined, 'no such command'],
  ['is too old', fakeServer('2.11.4'), '2.11.4: 2.12.0 or later is needed'],
  ['is something else', '#!/bin/sh\necho "redis 7.0.0"\n', 'is not a nats-server: it says "redis 7.0.0"'],
  ['fails', '#!/bin/sh\necho "bad libc" >&2; exit 1\n', 'bad libc'],
])('a binary that is asked for and %s is an error, not a reason to take another', async (_, program, reason) => {
  await using folder = await createTemporaryFolder();
  await installFake(folder.path, 'path', '2.15.1');
  const bin = join(folder.path, 'asked');
  if (program !== undefined) {
    await writeFile(bin, program, { mode: 0o755 });
  }
  const found = findNatsServer({ env: { PATH: join(folder.path, 'path') }, bin });
  await expect(found).rejects.toMatchObject({ code: 'unusable', message: expect.stringContaining(bin) });
  await expect(found).rejects.toThrow(reason);
});

test('the first one on the PATH that runs and is recent enough is used, and the log says what was passed over', async () => {
  await using folder = await createTemporaryFolder();
  const old = await installFake(folder.path, 'old', '2.9.25');
  const broken = await installFake(folder.path, 'broken', '');
  const good = await installFake(folder.path, 'good', '2.14.0');
  const PATH = ['nowhere', 'old', 'broken', 'good'].map((name) => join(folder.path, name)).join(delimiter);
  const lines: string[] = [];
  const found = await findNatsServer({ env: { PATH }, log: (line) => lines.push(line) });
  expect(found).toEqual({ path: good, version: '2.14.0', source: 'path' });
  expect(lines).toEqual([
    `passing over ${old}: it is 2.9.25, older than 2.12.0`,
    expect.stringContaining(`passing over ${broken}: `),
  ]);
});

test('the cache offers the wanted version, else its newest, and never one that is too old', async () => {
  await using folder = await createTemporaryFolder();
  const cacheDir = join(folder.path, 'asyncfn', 'nats-server');
  const release = { version: RELEASE, checksums: {} };
  const find = () => findNatsServer({ env: { XDG_CACHE_HOME: folder.path }, release, sources: ['cache'] });
  await installFake(cacheDir, '2.11.0', '2.11.0');
  await expect(find()).rejects.toThrow(`nothing usable in ${cacheDir}`);
  await installFake(cacheDir, '2.12.3', '2.12.3');
  await installFake(cacheDir, '2.16.0', '2.16.0');
  expect(await find()).toMatchObject({ version: '2.16.0', source: 'cache' });
  await installFake(cacheDir, RELEASE, RELEASE);
  expect(await find()).toMatchObject({ version: RELEASE });
});

test('if every way fails, one error says what was tried, why it failed and what to do', async () => {
  await using folder = await createTemporaryFolder();
  const cacheDir = join(folder.path, 'cache');
  // No server listens on port 9 (discard).
  const options = { env: { PATH: '' }, cacheDir, releaseUrl: 'http://127.0.0.1:9' };
  const found = findNatsServer({ ...options, sources: ['path', 'cache', 'github'] });
  await expect(found).rejects.toThrow(/^No nats-server 2\.12\.0 or later was found/);
  await expect(found).rejects.toThrow('- on the PATH: no nats-server');
  await expect(found).rejects.toThrow(`- in the cache: nothing usable in ${cacheDir}`);
  await expect(found).rejects.toThrow('- from GitHub: http://127.0.0.1:9/v');
  await expect(found).rejects.toThrow('set NATS_SERVER_BIN');
  expect(await readdir(cacheDir)).toEqual([]);
});
