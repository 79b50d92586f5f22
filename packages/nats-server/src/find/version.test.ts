import { expect, test } from 'vitest';
import { pinnedRelease } from './pinned-release.ts';
import { compareVersions, isRecentEnough, MINIMUM_VERSION } from './version.ts';

test('versions are compared by number, not by letter', () => {
  const versions = ['2.12.0', '2.9.25', '2.12.10', '10.0.0', '2.12.9'];
  expect(versions.sort(compareVersions)).toEqual(['2.9.25', '2.12.0', '2.12.9', '2.12.10', '10.0.0']);
});

test.each([
  ['2.11.9', false],
  ['2.12.0', true],
  ['2.12.0-RC.1', true],
  ['3.0.0', true],
])('%s is recent enough: %s', (version, expected) => {
  expect(isRecentEnough(version)).toBe(expected);
});

test('what is fetched is recent enough', () => {
  expect(compareVersions(pinnedRelease.version, MINIMUM_VERSION)).toBeGreaterThanOrEqual(0);
});
