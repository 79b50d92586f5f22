import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSigningSecret } from '@asyncfn/queue-core/webhook';
import { ConfigError } from '@asyncfn/service-kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepSigningSecret } from '../src/launch/signing-secret.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signing-secret-'));
  path = join(folder, 'secret');
});
afterEach(() => rm(folder, { recursive: true }));

test('a secret is created once, readable only by its owner, and stays the same', async () => {
  const made = await keepSigningSecret(path);
  expect(made.key).toEqual(parseSigningSecret(made.text));
  expect(await readFile(path, 'utf8')).toBe(`${made.text}\n`);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['secret']);
  expect(await keepSigningSecret(path)).toEqual(made);
});

test('another folder has another secret', async () => {
  const [one, other] = [await keepSigningSecret(path), await keepSigningSecret(`${path}-2`)];
  expect(one.text).not.toBe(other.text);
});

test('files left behind by a crash do not get in the way', async () => {
  await writeFile(`${path}.new`, 'whsec_ha');
  expect((await keepSigningSecret(path)).key).toHaveLength(32);
});

test.each(['', 'hunter2', 'whsec_hunter2'])(
  'a file with %j is a configuration error that does not show it',
  async (text) => {
    await writeFile(path, text);
    const error: unknown = await keepSigningSecret(path).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain(`${path}: holds no signing secret`);
    expect(String(error)).not.toContain('hunter2');
  },
);

test('a file that cannot be read is an error of its own', async () => {
  await expect(keepSigningSecret(folder)).rejects.toMatchObject({ code: 'EISDIR' });
});
