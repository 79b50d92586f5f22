import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@asyncfn/service-kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeStateFolder } from '../src/launch/state-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asyncfn-state-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('the folder of the queue is created, and may exist already', async () => {
  const path = join(folder, 'a', 'b');
  await makeStateFolder(path);
  await makeStateFolder(path);
  expect((await stat(path)).isDirectory()).toBe(true);
});

test('the error for a folder that cannot be created names STATE_DIR, the user and the path', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  const path = join(file, 'state');
  const made = makeStateFolder(path);
  await expect(made).rejects.toBeInstanceOf(ConfigError);
  await expect(made).rejects.toThrow(
    /^STATE_DIR: the user with the id \d+ cannot write to .*\/file\/state \(ENOTDIR: /,
  );
});
