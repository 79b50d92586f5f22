import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('kubernetes-files.js', import.meta.url));
const permissions = 'deploy/kubernetes/base/nats/nats-permissions.conf';
const rule = 'deploy/kubernetes/components/monitoring/prometheus-rule.yaml';
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kubernetes-files-'));
  put('deploy/nats-permissions.conf', 'accounts {}\n');
  put('deploy/prometheus/rules.yml', '# Why.\ngroups:\n  - name: asyncfn\n\n    rules: []\n');
  put(permissions, '');
  put(rule, '');
});

afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function run(...args: string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, [script, ...args, root], { encoding: 'utf8' });
  return { status, stderr };
}

test('both files are written from their sources, and are then up to date', () => {
  expect(run()).toEqual({ status: 0, stderr: '' });
  expect(readFileSync(join(root, permissions), 'utf8')).toMatch(/^# Written by .*\n\naccounts \{\}\n$/);
  expect(readFileSync(join(root, rule), 'utf8')).toMatch(
    /kind: PrometheusRule\nmetadata:\n {2}name: asyncfn\nspec:\n {2}# Why\.\n {2}groups:\n {4}- name: asyncfn\n\n {6}rules: \[\]\n$/,
  );
  expect(run('--check')).toEqual({ status: 0, stderr: '' });
});

test('a source that has changed since fails the check, which says what to do', () => {
  run();
  put('deploy/nats-permissions.conf', 'accounts { SYS {} }\n');
  const { status, stderr } = run('--check');
  expect(status).toBe(1);
  expect(stderr).toBe(
    `${permissions}: is out of date with deploy/nats-permissions.conf: run \`pnpm docs:write\` and commit it\n`,
  );
});
