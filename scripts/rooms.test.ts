import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('rooms.js', import.meta.url));
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rooms-'));
  put(
    'ARCHITECTURE.md',
    "# Map\n\n<!-- Written by `pnpm docs:write` from the first lines of each room's index.ts. -->\n<!-- End of what `pnpm docs:write` writes. -->\n",
  );
  put('packages/one/src/index.ts', '');
  put('packages/one/src/kitchen/index.ts', '// Where it is\n// cooked.\n\nexport {};\n');
  put('apps/two/src/main.ts', '');
});

afterEach(() => rmSync(root, { recursive: true }));

test('the map lists each room with its first lines', () => {
  expect(run()).toEqual({ status: 0, stderr: '' });
  expect(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')).toContain(
    '| `packages/one/src/` | |\n|---|---|\n| `kitchen/` | Where it is cooked. |\n',
  );
  expect(run('--check')).toEqual({ status: 0, stderr: '' });
});

test('a room that is missing from the map fails the check', () => {
  run();
  put('apps/two/src/hall/index.ts', '// The hall.\n');
  expect(run('--check')).toEqual({ status: 1, stderr: expect.stringContaining('the map of rooms is out of date') });
});

test('a room without a way in fails', () => {
  put('apps/two/src/hall/door.ts', '');
  expect(run()).toEqual({ status: 1, stderr: 'apps/two/src/hall: has no index.ts, the one way into a room\n' });
});

test('an empty folder that a branch has left behind is not a room', () => {
  mkdirSync(join(root, 'apps/two/src/hall'));
  expect(run()).toEqual({ status: 0, stderr: '' });
});

test('a room that does not say what it is for fails', () => {
  put('apps/two/src/hall/index.ts', 'export {};\n');
  expect(run()).toEqual({ status: 1, stderr: expect.stringContaining('apps/two/src/hall/index.ts: does not say') });
});

test('a folder of 13 source files fails, and tests do not count', () => {
  for (let file = 1; file <= 12; file += 1) {
    put(`apps/two/src/file-${file}.ts`, '');
    put(`packages/one/src/file-${file}.test.ts`, '');
  }
  expect(run()).toEqual({ status: 1, stderr: 'apps/two/src: has 13 source files; a room has at most 12\n' });
});

function put(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function run(...options: string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, [script, ...options, root], { encoding: 'utf8' });
  return { status, stderr };
}
