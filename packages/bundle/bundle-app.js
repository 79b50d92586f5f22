#!/usr/bin/env node
// Bundles the app in the current folder: each main module of `src` becomes one file in `dist`, in the place of the module
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
  plugins: [mapsOfOwnCode],
  // A comment costs memory: Node keeps the text of a module.
  output: {
    dir: 'dist',
    sourcemap: true,
    sourcemapExcludeSources: true,
    comments: { legal: true, annotation: false, jsdoc: false },
  },
});
