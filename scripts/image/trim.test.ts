import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('trim.js', import.meta.url));
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'trim-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Runs the script over a workspace of these files, and returns the paths that are left. */
function trim(files: Readonly<Record<string, string | object>>): string[] {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  const left = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  return left.map((entry) => relative(root, join(entry.parentPath, entry.name))).toSorted();
}

/** The paths of the files of an installed package, in pnpm's store. */
function installed(name: string, manifest: object, files: readonly string[]): Record<string, string | object> {
  const folder = `node_modules/.pnpm/${name.replace('/', '+')}@1.0.0/node_modules/${name}`;
  const paths = files.map((file) => [`${folder}/${file}`, '']);
  return { ...Object.fromEntries(paths), [`${folder}/package.json`]: { name, ...manifest } };
}

const app = { name: '@a/app', files: ['dist'], dependencies: { '@a/used': 'workspace:*', outside: '1.0.0' } };

test('a workspace keeps its package.json and the files that it ships: code and source maps, no sources and no declarations', () => {
  const left = trim({
    'package.json': {},
    'turbo.json': {},
    'apps/app/package.json': { name: '@a/app', files: ['dist', 'assets'] },
    'apps/app/tsconfig.json': '',
    'apps/app/.turbo/turbo-build.log': '',
    'apps/app/src/main.ts': '',
    'apps/app/test/main.test.ts': '',
    'apps/app/assets/page.html': '',
    'apps/app/dist/main.js': '',
    'apps/app/dist/main.js.map': '',
    'apps/app/dist/main.d.ts': '',
    'apps/app/dist/main.d.ts.map': '',
  });
  const kept = ['assets/page.html', 'dist/main.js', 'dist/main.js.map', 'package.json'];
  expect(left).toEqual(kept.map((path) => `apps/app/${path}`));
});

test('a workspace that no app depends on is removed, and one that an app needs by way of another stays', () => {
  const library = (name: string, more: object = {}) => ({ name, files: ['dist'], ...more });
  const left = trim({
    'apps/app/package.json': { ...app, devDependencies: { '@a/testing': 'workspace:*' } },
    'packages/used/package.json': library('@a/used', { dependencies: { '@a/deep': 'workspace:*' } }),
    'packages/deep/package.json': library('@a/deep', { devDependencies: { '@a/testing': 'workspace:*' } }),
    'packages/testing/package.json': library('@a/testing'),
    'packages/testing/dist/index.js': '',
  });
  expect(left).toEqual(['apps/app/package.json', 'packages/deep/package.json', 'packages/used/package.json']);
});

test('a dependency keeps its code, its licence and the files that its code may read', () => {
  const folder = 'node_modules/.pnpm/@scope+one@1.0.0/node_modules/@scope/one';
  const code = [
    'LICENSE',
    'LICENSE.md',
    'dist/doc/Document.js',
    'index.js',
    'lib/test.js',
    'package.json',
    'static/page.css',
  ];
  const others = [
    'README.md',
    'CHANGELOG.md',
    '.github/workflows/ci.yml',
    'index.js.map',
    'index.d.ts',
    'lib/index.d.mts',
    'src/index.ts',
    'test/index.js',
    'docs/guide.html',
    'examples/one.js',
    'benchmark/run.js',
  ];
  const left = trim({ 'apps/app/package.json': app, ...installed('@scope/one', {}, [...code, ...others]) });
  expect(left.filter((path) => path.startsWith(folder))).toEqual(code.map((path) => `${folder}/${path}`));
});

test('a readme that is the only place of a licence stays', () => {
  const left = trim({ 'apps/app/package.json': app, ...installed('one', {}, ['README.md', 'HISTORY.md']) });
  const folder = 'node_modules/.pnpm/one@1.0.0/node_modules/one';
  expect(left).toEqual(['apps/app/package.json', `${folder}/README.md`, `${folder}/package.json`]);
});

test('a folder stays if its package is loaded from it, even if its name looks like waste', () => {
  const manifest = { exports: { './tests': './tests/index.js', '.': './index.js' } };
  const left = trim({ 'apps/app/package.json': app, ...installed('one', manifest, ['tests/index.js', 'test/a.js']) });
  expect(left.filter((path) => /tests?\//.test(path))).toEqual([
    'node_modules/.pnpm/one@1.0.0/node_modules/one/tests/index.js',
  ]);
});

test('links are left alone, and their targets are not trimmed through them', () => {
  mkdirSync(join(root, 'apps/app/node_modules'), { recursive: true });
  const outside = mkdtempSync(join(tmpdir(), 'trim-outside-'));
  writeFileSync(join(outside, 'index.d.ts'), '');
  symlinkSync(outside, join(root, 'apps/app/node_modules/outside'));
  expect(trim({ 'apps/app/package.json': app })).toEqual(['apps/app/node_modules/outside', 'apps/app/package.json']);
  expect(readdirSync(outside)).toEqual(['index.d.ts']);
  rmSync(outside, { recursive: true });
});

test.each([
  [[], 'no folder given'],
  [['/dev/null'], '/dev/null'],
])('without a workspace (%j) it says what it needs', (args, said) => {
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([1, `trim.js: ${said}: name the root of a workspace, in which apps/ is\n`]);
});
