import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const script = fileURLToPath(new URL('audit.js', import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the script beside a pnpm that prints `output` and ends with `code`, as pnpm does when it finds something. */
async function audit(output: string, code = 1): Promise<{ status: number | null; stdout: string }> {
  await writeFile(join(folder, 'output'), output);
  await writeFile(join(folder, 'pnpm'), `#!/bin/sh\ncat '${folder}/output'\nexit ${code}\n`);
  await chmod(join(folder, 'pnpm'), 0o755);
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
  return spawnSync(process.execPath, [script], { encoding: 'utf8', env });
}

function report(vulnerabilities: Record<string, number>, advisories: object = {}): string {
  return JSON.stringify({ advisories, metadata: { vulnerabilities } });
}

test('no known vulnerability passes', async () => {
  const { status, stdout } = await audit(report({ info: 0, low: 0, moderate: 0, high: 0, critical: 0 }), 0);
  expect([status, stdout]).toEqual([0, 'audit: 0 high, 0 critical\n']);
});

test('vulnerabilities below high pass', async () => {
  expect((await audit(report({ low: 3, moderate: 2, high: 0, critical: 0 }))).status).toBe(0);
});

test('a high or critical one fails, and is named', async () => {
  const advisory = { module_name: 'left', vulnerable_versions: '<2', title: 'Falls over', url: 'https://a.test/1' };
  const advisories = { 1: { ...advisory, severity: 'critical' }, 2: { ...advisory, severity: 'low' } };
  const { status, stdout } = await audit(report({ low: 1, high: 0, critical: 1 }, advisories));
  expect([status, stdout]).toEqual([
    1,
    'audit: 0 high, 1 critical\n  critical: left <2: Falls over (https://a.test/1)\n',
  ]);
});

test.each([
  ['refuses the question', '{"error":{"code":"ERR_PNPM_AUDIT_BAD_RESPONSE","message":"responded with 405"}}'],
  ['says something else', '<html>proxy</html>'],
  ['says nothing', ''],
])('a registry that %s is no failure, and is told', async (_, output) => {
  const { status, stdout } = await audit(output);
  expect([status, stdout]).toEqual([0, 'audit: not checked, since the registry does not answer audits\n']);
});
