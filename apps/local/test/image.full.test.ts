import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually, startTraceCollector } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { paste, startLauncher } from './launcher.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const run = async (file: string, args: readonly string[], cwd = repository) =>
  (await promisify(execFile)(file, args, { cwd, env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' } })).stdout;

let work: string;
let image: string;
let main: string;

/**
 * The files that the Dockerfile puts into the image `asyncfn`, by the same steps. The image contains both other apps.
 */
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'asyncfn-image-'));
  const apps = (await run(process.execPath, ['scripts/image/apps.js', 'asyncfn'])).trim().split(' ');
  await run('npx', ['turbo', 'prune', ...apps, '--docker', '--out-dir', work]);
  image = join(work, 'json');
  const install = ['install', '--prod', '--frozen-lockfile', '--prefer-offline', '--filter-prod', '{apps/*}...'];
  await run('npx', ['-y', 'pnpm@10', ...install], image);
  for (const room of ['apps', 'packages']) {
    for (const name of await readdir(join(image, room))) {
      const built = join(room, name, 'dist');
      if (existsSync(join(repository, built))) {
        await cp(join(repository, built), join(image, built), { recursive: true });
      }
    }
  }
  await run(process.execPath, ['scripts/image/trim.js', image]);
  main = join(image, 'apps/local/dist/main.js');
});
afterAll(() => rm(work, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

test('the files left in an image run: calls and callbacks, the page of the API, and traces', async () => {
  await using collector = await startTraceCollector();
  const env = { STATE_DIR: join(work, 'state'), OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  await using launcher = startLauncher(env, main);
  const [first, second, third] = await launcher.waitForCurlLines();
  expect(await paste(first!)).toMatch(/^HTTP\/1.1 202 /);
  expect(await paste(second!)).toMatch(/^HTTP\/1.1 202 /);
  await eventually(async () => (await paste(third!)).includes('1 callback, newest first'));

  const docs = (await launcher.waitForLine(/API docs +(\S+)/))[1]!;
  const page = await (await fetch(`${docs}/`)).text();
  const parts = [...page.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path = '']) => new URL(path, `${docs}/`).href);
  expect(parts.length).toBeGreaterThan(4);
  for (const part of parts) {
    expect((await fetch(part)).status, part).toBe(200);
  }
  await eventually(() => collector.requests.length > 0);

  launcher.signal('SIGTERM');
  expect(await launcher.exited).toBe(0);
  expect(launcher.text()).not.toMatch(/^\S+ +\| {5}at |WARN|ERROR|FATAL/m);
});

test('an image has no tests, declarations or source maps but those of our own code', async () => {
  const files = (await run('find', ['.', '-type', 'f'], image)).split('\n');
  expect(files).toContain('./apps/gateway/dist/main.js.map');
  expect(files.filter((path) => path.startsWith('./packages/testkit'))).toEqual([]);
  const own = /^\.\/(apps|packages)\/[^/]+\/dist\/.*\.js\.map$/;
  expect(files.filter((path) => /\.(map|[cm]?ts|tsx)$/.test(path) && !own.test(path))).toEqual([]);
});
