import { readFileSync } from 'node:fs';

/**
 * The version in the package.json one folder above a module, so that `src/main.ts` and `dist/main.js` find the same.
 *
 * @param moduleUrl `import.meta.url` of main
 */
export function readVersion(moduleUrl: string): string {
  const path = new URL('../package.json', moduleUrl);
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version?: unknown };
  if (typeof version !== 'string') {
    throw new Error(`${path.pathname} has no version`);
  }
  return version;
}
