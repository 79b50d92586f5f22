import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const apps = new URL('../../', import.meta.url);

/** A main module of `dist` and all that it imports from there, by URL. */
async function readChunks(url: URL, chunks = new Map<string, string>()): Promise<Map<string, string>> {
  if (!chunks.has(url.href)) {
    const text = await readFile(url, 'utf8');
    chunks.set(url.href, text);
    for (const [, name = ''] of text.matchAll(/\b(?:from|import\()\s*"(\.\/[\w.-]+\.js)"/g)) {
      await readChunks(new URL(name, url), chunks);
    }
  }
  return chunks;
}

test.each(['gateway', 'worker'])(
  'the bundle of the %s is Latin-1: V8 keeps one byte for a character, not two',
  async (app) => {
    const chunks = await readChunks(new URL(`${app}/dist/main.js`, apps));
    const text = [...chunks.values()].join('');
    expect(text.length).toBeGreaterThan(1_000_000);
    expect(text.match(/.{0,40}[^\0-\xff]/g) ?? []).toEqual([]);
  },
);
