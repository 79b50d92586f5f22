import { expect, test } from 'vitest';
import { findChecksum, releaseName } from './github-release.ts';

test.each([
  ['linux', 'x64', 'nats-server-v2.15.1-linux-amd64'],
  ['linux', 'arm64', 'nats-server-v2.15.1-linux-arm64'],
  ['linux', 'arm', 'nats-server-v2.15.1-linux-arm7'],
  ['darwin', 'arm64', 'nats-server-v2.15.1-darwin-arm64'],
  ['win32', 'x64', 'nats-server-v2.15.1-windows-amd64'],
])('%s on %s has the release %s', (platform, arch, name) => {
  expect(releaseName('2.15.1', { platform, arch })).toBe(name);
});

test('a machine without a release is named', () => {
  expect(() => releaseName('2.15.1', { platform: 'aix', arch: 'ppc64' })).toThrow('no release for aix on ppc64');
});

const [A, B, C] = ['a'.repeat(64), 'B'.repeat(64), 'c'.repeat(64)];
const SUMS = `${A}  nats-server-v2.15.1-linux-amd64.tar.gz.sig\n${B} *nats-server-v2.15.1-linux-amd64.tar.gz\r\n${C}  other.zip\n`;

test('a checksum is found by the whole name of its file, whatever its case', () => {
  expect(findChecksum(SUMS, 'nats-server-v2.15.1-linux-amd64.tar.gz')).toBe('b'.repeat(64));
});

test.each(['nats-server', 'nats-server-v2.15.1-linux-amd64', 'missing.zip'])('%s is not listed', (name) => {
  expect(() => findChecksum(SUMS, name)).toThrow(`does not list ${name}`);
});
