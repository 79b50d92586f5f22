import { expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { readVersion } from './version.ts';

test('finds the version of the package a module belongs to', () => {
  expect(readVersion(import.meta.url)).toBe(packageJson.version);
});

test('names the file without a version', () => {
  expect(() => readVersion(new URL('./deeper/module.ts', import.meta.url).href)).toThrow(/src\/package\.json/);
});
