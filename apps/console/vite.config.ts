import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** The gateway that `pnpm --filter @asyncfn/console dev` talks to. */
const gateway = 'http://127.0.0.1:8080';

/** Compresses every file of the build once, so that the gateway never has to. */
const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  async writeBundle({ dir = 'dist' }) {
    const files = await readdir(dir, { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile() && !entry.name.endsWith('.gz'))) {
      const path = join(file.parentPath, file.name);
      await writeFile(`${path}.gz`, await promisify(gzip)(await readFile(path), { level: 9 }));
    }
  },
};

export default defineConfig({
  base: '/console/',
  build: {
    target: 'es2022',
    // A file of its own each: the content security policy allows no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // For the package of the command line, which contains the console.
    license: { fileName: 'licenses.md' },
  },
  plugins: [compressed],
  server: { proxy: { '/system': gateway, '/async-function': gateway, '/async-batch': gateway } },
});
