#!/usr/bin/env node
// Bundles the app in the current folder: each main module of `src` becomes one file in `dist`, in place of the module
// that tsc has written there.
import { readdirSync } from 'node:fs';
import { build } from 'rolldown';

/** Leaves dependencies out of source maps: Node decodes a map for the first stack trace, and holds it in memory. */
const mapsOfOwnCode = {
  name: 'maps-of-own-code',
  transform: {
    filter: { id: /[\\/]node_modules[\\/]/ },
    handler: (code) => ({ code, map: { mappings: '' } }),
  },
};

/**
 * Writes characters beyond Latin-1 as escapes. V8 stores a text without them in one byte a character, otherwise in two, and it
 * keeps the text of a module. Such characters stand in string and regular expression literals alone.
 */
const oneByteText = {
  name: 'one-byte-text',
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type === 'chunk') {
        file.code = file.code.replace(/[^\0-\xff]/g, toEscape);
      }
    }
  },
};

/** Called for each UTF-16 code unit. */
function toEscape(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

await build({
  input: readdirSync('src')
    .filter((file) => /^(.+-)?main\.ts$/.test(file))
    .map((file) => `src/${file}`),
  platform: 'node',
  transform: { target: 'node20.18' },
  // The sources of the workspace's packages, so that source maps lead to them.
  resolve: { conditionNames: ['@asyncfn/source'] },
  // They load files from their own folders.
  external: ['@asyncfn/guarded-process', '@fastify/swagger-ui'],
  plugins: [mapsOfOwnCode, oneByteText],
  // A comment costs memory: Node keeps the text of a module.
  output: {
    dir: 'dist',
    sourcemap: true,
    sourcemapExcludeSources: true,
    comments: { legal: true, annotation: false, jsdoc: false },
  },
});
