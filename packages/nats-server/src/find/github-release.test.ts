import { expect, test } from 'vitest';
import { buildName } from './github-release.ts';
import { pinnedRelease } from './pinned-release.ts';

test.each([
  ['linux', 'x64', 'linux-amd64'],
  ['linux', 'arm64', 'linux-arm64'],
  ['linux', 'arm', 'linux-arm7'],
  ['darwin', 'arm64', 'darwin-arm64'],
  ['win32', 'x64', 'windows-amd64'],
])('%s on %s is %s, and a checksum is pinned for it', (platform, arch, name) => {
  expect(buildName({ platform, arch })).toBe(name);
  expect(pinnedRelease.checksums[name]).toMatch(/^[0-9a-f]{64}$/);
});

test('a machine without a release is named', () => {
  expect(() => buildName({ platform: 'aix', arch: 'ppc64' })).toThrow('no release for aix on ppc64');
});
