import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('links.js', import.meta.url));
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'links-'));
});

afterEach(() => rmSync(root, { recursive: true }));

test('links to files, folders, headings and other sites pass, and those in code are ignored', () => {
  put('docs/a.md', '# `X-Then`: what *follows*\n\n## Same\n## Same\n\n```\n[no](link)\n```\n`[no](link)`\n');
  const links = [
    'docs/a.md',
    'docs',
    '#top',
    'docs/a.md#x-then-what-follows',
    'docs/a.md#same-1',
    'https://nats.io/#x',
  ];
  put('README.md', `# Top\n\n${links.map((link) => `[x](${link})`).join(' ')}\n`);
  expect(run()).toEqual({ status: 0, stderr: '' });
});

test('a dead link, an unknown heading and a conflict marker fail, and are named', () => {
  put('docs/a.md', '# A\n\n[gone](../b.md)\n[not here](#b)\n');
  put('docs/b.md', '# B\n\n```\n<<<<<<< HEAD\n=======\n>>>>>>> branch\n```\n');
  const stderr = [
    'docs/a.md:3: ../b.md does not exist',
    'docs/a.md:4: #b: docs/a.md has no such heading',
    'docs/b.md: a conflict marker is left',
  ];
  expect(run()).toEqual({ status: 1, stderr: `${stderr.join('\n')}\n` });
});

test('decisions that share a number or are not in the list with their titles fail', () => {
  put('docs/adr/0001-a.md', '# 1. Streams have no limits\n');
  put('docs/adr/0001-b.md', '# 1. Callbacks are signed\n');
  put('docs/adr/README.md', '# Decisions\n\n| [0001](0001-a.md) | Streams have no limits |\n');
  const stderr = [
    'docs/adr: there are two decisions 0001',
    'docs/adr/README.md: this line is missing: | [0001](0001-b.md) | Callbacks are signed |',
  ];
  expect(run()).toEqual({ status: 1, stderr: `${stderr.join('\n')}\n` });
});

function put(path: string, text: string) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function run() {
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
  return { status, stderr };
}
