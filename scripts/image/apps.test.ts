import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('apps.js', import.meta.url));
const run = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });

test.each([
  ['gateway', '@asyncfn/gateway\n'],
  ['worker', '@asyncfn/worker\n'],
  ['asyncfn', '@asyncfn/local @asyncfn/gateway @asyncfn/worker\n'],
])('the image of %s is made of %s', (app, apps) => {
  expect(run(app)).toMatchObject({ status: 0, stdout: apps, stderr: '' });
});

test.each([
  ['', 'APP is not set'],
  ['gatway', 'APP=gatway is no app'],
  ['toString', 'APP=toString is no app'],
])('for %j a build ends with what to pass', (app, said) => {
  const stderr = `${said}: build with --build-arg APP=gateway, APP=worker or APP=asyncfn\n`;
  expect(run(app)).toMatchObject({ status: 1, stdout: '', stderr });
  expect(run()).toMatchObject({ status: 1 });
});
