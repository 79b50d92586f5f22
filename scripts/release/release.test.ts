import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const scripts = fileURLToPath(new URL('.', import.meta.url));
const repository = join(scripts, '..', '..');
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'release-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function run(script: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(scripts, script), ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** A repository of version 1.2.0, ready to be released. */
function putRelease(): void {
  const image = (name: string) => `image: ghcr.io/asyncfn/${name}:1.2.0\n`;
  put('package.json', '{ "version": "1.2.0" }');
  put('apps/one/package.json', '{ "version": "1.2.0" }');
  put('packages/two/package.json', '{ "version": "1.2.0" }');
  put('Dockerfile', 'ARG VERSION=1.2.0\n');
  put('deploy/kubernetes/base/gateway.yaml', image('asyncfn-gateway'));
  put('deploy/kubernetes/base/worker.yaml', image('asyncfn-worker'));
  put('deploy/kubernetes/overlays/dev/samples.yaml', image('asyncfn'));
  put(
    'CHANGELOG.md',
    '# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2030-01-31\n\n### Added\n\n- This.\n\n## [1.1.0] - 2030-01-01\n\n- That.\n',
  );
}

describe('the notes of a release', () => {
  test('are the part of the changelog below its heading', () => {
    putRelease();
    expect(run('notes.js', 'v1.2.0', root)).toEqual({ status: 0, stdout: '### Added\n\n- This.\n', stderr: '' });
    expect(run('notes.js', 'v1.1.0', root).stdout).toBe('- That.\n');
  });

  test.each(['v1.2', 'v1x2.0', 'v9.9.9', ''])('for %j there are none', (tag) => {
    putRelease();
    expect(run('notes.js', tag, root)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('CHANGELOG.md'),
    });
  });
});

describe('the version', () => {
  test('that everything names may be released', () => {
    putRelease();
    expect(run('check-version.js', 'v1.2.0', root)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('of another tag, of a package, an image, a manifest or the changelog is a problem, and all are told', () => {
    putRelease();
    put('packages/two/package.json', '{ "version": "1.1.0" }');
    put('Dockerfile', 'ARG VERSION=1.1.0\n');
    put('deploy/kubernetes/base/worker.yaml', 'image: ghcr.io/asyncfn/asyncfn-worker:1.2.0-rc.1\n');
    put('CHANGELOG.md', '## [Unreleased]\n\n- This.\n\n## [1.2.0] - soon\n');
    const { status, stderr } = run('check-version.js', 'v1.2.1', root);
    expect(status).toBe(1);
    expect(stderr.trimEnd().split('\n')).toEqual([
      'the tag is v1.2.1, and package.json has version 1.2.0: the tag must be v1.2.0',
      'packages/two/package.json: has version 1.1.0 instead of 1.2.0',
      'Dockerfile: has no ARG VERSION=1.2.0',
      'deploy/kubernetes/base/worker.yaml: names ghcr.io/asyncfn/asyncfn-worker:1.2.0-rc.1 instead of version 1.2.0',
      'CHANGELOG.md: has no notes under "## [1.2.0] - YYYY-MM-DD"',
    ]);
  });

  test('of this repository is the same everywhere: only its date is still missing', () => {
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
    const { stderr } = run('check-version.js', `v${version}`);
    expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('CHANGELOG.md'))).toEqual([]);
  });
});

describe('the images of a release', () => {
  const digest = `sha256:${'a'.repeat(64)}`;

  /** Runs the script beside programs that note their arguments; docker prints `output`. */
  function images(args: string[], { output = digest, code = 0 } = {}) {
    putRelease();
    cpSync(scripts, join(root, 'scripts/release'), { recursive: true });
    put('scripts/package.json', '{ "type": "module" }');
    for (const program of ['docker', 'cosign']) {
      put(
        `bin/${program}`,
        `#!/bin/sh\necho "${program} $*" >>'${root}/log'\n[ "$3" = inspect ] && echo '${output}'\nexit ${code}\n`,
      );
      chmodSync(join(root, 'bin', program), 0o755);
    }
    put('log', '');
    const env = {
      PATH: `${join(root, 'bin')}${delimiter}${process.env['PATH']}`,
      GITHUB_SHA: 'abc',
      IMAGES: 'ghcr.io/me',
    };
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/release/images.js'), ...args], {
      encoding: 'utf8',
      env,
    });
    return { status, stderr, log: readFileSync(join(root, 'log'), 'utf8').trim().split('\n') };
  }

  test('are pushed for each architecture with SBOM, provenance, version and revision', () => {
    expect(images(['push', 'gateway', 'arm64'])).toEqual({
      status: 0,
      stderr: '',
      log: [
        'docker buildx build --sbom=true --provenance=mode=max --push --platform linux/arm64 --build-arg APP=gateway ' +
          '--build-arg VERSION=1.2.0 --build-arg REVISION=abc --tag ghcr.io/me/asyncfn-gateway:1.2.0-arm64 .',
      ],
    });
  });

  test('are joined into one for all architectures', () => {
    expect(images(['join', 'asyncfn'])).toMatchObject({
      status: 0,
      log: [
        'docker buildx imagetools create --tag ghcr.io/me/asyncfn:1.2.0 --tag ghcr.io/me/asyncfn:latest ' +
          'ghcr.io/me/asyncfn:1.2.0-amd64 ghcr.io/me/asyncfn:1.2.0-arm64',
      ],
    });
  });

  test('are signed by their digest, without a key', () => {
    const { status, log } = images(['sign', 'worker']);
    expect([status, log.at(-1)]).toEqual([0, `cosign sign --yes --recursive ghcr.io/me/asyncfn-worker@${digest}`]);
  });

  test('are not signed if the registry names no digest', () => {
    const { status, stderr, log } = images(['sign', 'worker'], { output: 'not found' });
    expect([status, stderr]).toEqual([
      1,
      'images.js: ghcr.io/me/asyncfn-worker:1.2.0: has the digest "not found", which is none\n',
    ]);
    expect(log.some((line) => line.startsWith('cosign'))).toBe(false);
  });

  test('fail with the program that fails', () => {
    expect(images(['push', 'worker', 'amd64'], { code: 3 })).toMatchObject({
      status: 1,
      stderr: 'images.js: docker buildx build --sbom=true failed: exit code 3\n',
    });
  });

  test.each([
    [['push', 'local', 'amd64'], 'local: name gateway, worker or asyncfn'],
    [['push', 'gateway', 'riscv'], 'riscv: name amd64 or arm64'],
    [['pull', 'gateway'], 'pull: the commands are push, join and sign'],
    [[], 'no app: name gateway, worker or asyncfn'],
  ])('%j is refused', (args, problem) => {
    expect(images(args)).toMatchObject({ status: 1, stderr: `images.js: ${problem}\n`, log: [''] });
  });
});
