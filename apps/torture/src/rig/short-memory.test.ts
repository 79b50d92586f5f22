import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { declarationOf, endsKeptMs, remembered, shortMemoryModule } from './short-memory.ts';

const roots = { worker: '../../../worker/src', 'queue-core': '../../../../packages/queue-core/src' } as const;

describe('each constant that a run shortens', () => {
  test.each(remembered)('exists in the sources: $constant of $module', async ({ of, module, constant, ms }) => {
    const root = new URL(roots[of], import.meta.url).pathname;
    const files = await readdir(root, { recursive: true });
    const [file, ...more] = files.filter((path) => basename(path) === `${module}.ts`);
    expect(more).toEqual([]);
    const [declaration = ''] = declarationOf(constant).exec(await readFile(join(root, file ?? module), 'utf8')) ?? [];
    const factors = declaration.replace(/^.* = |;$|_/g, '').split('*');
    expect(factors.reduce((product, factor) => product * Number(factor), 1)).toBe(ms);
  });

  test('depends on how long ends are kept', () => {
    expect(endsKeptMs(10)).toBe(60_000);
    const source = decodeURIComponent(decodeURIComponent(shortMemoryModule(10)));
    for (const [constant, ms] of Object.entries({
      minMs: 60_000,
      freshMs: 5_000,
      pruneMs: 1_000,
      rememberedMs: 54_000,
    })) {
      expect(source).toContain(`const ${constant} = ${ms};`);
    }
  });
});
