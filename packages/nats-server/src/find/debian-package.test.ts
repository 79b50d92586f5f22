import { expect, test } from 'vitest';
import { chooseMirror } from './debian-package.ts';

test("the mirror of the machine's main suite is used, not the one for security updates", () => {
  const targets = [
    'http://deb.debian.org/debian-security/ bookworm-security',
    'http://mirror.example/debian/ bookworm-updates',
    'http://mirror.example/debian/ bookworm',
    '',
  ];
  expect(chooseMirror(targets.join('\n'))).toBe('http://mirror.example/debian/');
});

test('a machine that has never fetched package lists gets the official mirror', () => {
  expect(chooseMirror('')).toBe('http://deb.debian.org/debian');
});
