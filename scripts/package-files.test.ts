import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('package-files.js', import.meta.url));
const repository = { type: 'git', url: 'git+https://host.test/asyncfn.git' };
const shared = { version: '1.2.0', license: 'MIT', engines: { node: '>=20' } };
const published = {
  name: 'client',
  description: 'Calls.',
  files: ['dist'],
  publishConfig: { access: 'public', provenance: true },
};
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'package-files-'));
  put('LICENSE', 'Do as you like.\n');
  put('package.json', JSON.stringify({ name: 'root', private: true, ...shared, repository }));
  put('apps/inner/package.json', JSON.stringify({ name: 'inner', private: true, description: 'In.', type: 'module' }));
  put('packages/client/package.json', JSON.stringify(published));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function run(...args: string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, [script, ...args, root], { encoding: 'utf8' });
  return { status, stderr };
}

test('packages get what they lack, and the published ones the licence', () => {
  expect(run('--check').status).toBe(1);
  expect(run()).toEqual({ status: 0, stderr: '' });
  const inner = JSON.parse(read('apps/inner/package.json')) as object;
  expect(inner).toEqual({
    name: 'inner',
    private: true,
    description: 'In.',
    type: 'module',
    ...shared,
    repository: { ...repository, directory: 'apps/inner' },
  });
  expect(Object.keys(inner).at(-1)).toBe('type');
  expect(read('packages/client/LICENSE')).toBe('Do as you like.\n');
  expect(run('--check')).toEqual({ status: 0, stderr: '' });
});

test('the check says what is missing, and where', () => {
  run();
  put('packages/client/LICENSE', 'Another.\n');
  put('apps/inner/package.json', read('apps/inner/package.json').replace('>=20', '>=18'));
  const { status, stderr } = run('--check');
  expect(status).toBe(1);
  expect(stderr).toBe(
    'apps/inner/package.json: does not have engines {"node":">=20"}: run `pnpm docs:write` and commit it\n' +
      'packages/client/LICENSE: is not the licence of the repository: run `pnpm docs:write` and commit it\n',
  );
});

test('a published package says that it is public and has a provenance', () => {
  put('packages/client/package.json', JSON.stringify({ ...published, publishConfig: { access: 'public' } }));
  const { status, stderr } = run();
  expect([status, stderr]).toEqual([
    1,
    expect.stringContaining('packages/client/package.json: is published, and needs'),
  ]);
});
