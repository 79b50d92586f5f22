#!/usr/bin/env node
// Bundles the app in the current folder: each main module of `src` becomes one file in `dist`, in place of the module
// that tsc has written there.
import { readdirSync } from 'node:fs';
import { bundle } from './bundle.js';

await bundle({
  input: readdirSync('src')
    .filter((file) => /^(.+-)?main\.ts$/.test(file))
    .map((file) => `src/${file}`),
  dir: 'dist',
  // They load files from their own folders.
  external: ['@asyncfn/guarded-process', '@fastify/swagger-ui'],
  sourcemap: true,
});
