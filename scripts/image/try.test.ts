import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('try.js', import.meta.url));
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'try-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the script beside a docker that notes its arguments and behaves as `lines` of a shell say. */
function tryImage(lines: string, ...args: string[]) {
  writeFileSync(join(folder, 'docker'), `#!/bin/sh\necho "$*" >>'${folder}/log'\n${lines}\n`);
  writeFileSync(join(folder, 'log'), '');
  chmodSync(join(folder, 'docker'), 0o755);
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env });
  return { status, stderr, log: readFileSync(join(folder, 'log'), 'utf8').trim().split('\n') };
}

test('without an image it says what to name', () => {
  expect(tryImage('')).toMatchObject({ status: 64, stderr: 'try.js: name an image\n', log: [''] });
});

test('an image that does not start fails with the reason, and nothing is left', () => {
  const { status, stderr, log } = tryImage('[ "$1" = run ] && echo "no such image" >&2 && exit 125; exit 0', 'asyncfn');
  expect([status, stderr]).toEqual([1, expect.stringContaining('no such image')]);
  expect(log.map((line) => line.replace(/\s.*/, ''))).toEqual(['run', 'logs', 'rm', 'volume']);
});

test('a container that ends before it answers fails with its log', () => {
  const answers = 'case "$1" in port) echo 127.0.0.1:1;; inspect) echo false;; logs) echo "STATE_DIR: cannot";; esac';
  const { status, stderr } = tryImage(answers, 'asyncfn');
  expect([status, stderr]).toEqual([1, 'try.js: the container does not answer\nSTATE_DIR: cannot\n\n']);
});
