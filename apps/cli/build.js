// Bundles the command with gateway and worker, and copies what they read: the package needs nothing else.
import { chmodSync, copyFileSync, cpSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundle, withFiles } from '@asyncfn/bundle';
import { writeLicences } from './licences.js';

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));

const { output } = await bundle({
  input: {
    main: 'src/main.ts',
    gateway: '../gateway/src/main.ts',
    worker: '../worker/src/main.ts',
    'check-functions': '../gateway/src/check-functions-main.ts',
  },
  dir: 'dist',
  plugins: [withFiles('@fastify/swagger-ui', ['static'], 'swagger-ui')],
  sourcemap: false,
});
chmodSync('dist/main.js', 0o755);
// Run as a process of its own.
copyFileSync(pathOf('../../packages/guarded-process/src/guardian-main.js'), 'dist/guardian-main.js');
const consoleFiles = pathOf('../console/dist');
for (const file of readdirSync(consoleFiles, { recursive: true }).filter((name) =>
  /\.(html|js|css|svg)\.gz$/.test(name),
)) {
  cpSync(`${consoleFiles}/${file}`, `dist/console/${file}`);
}
/** @fastify/swagger-ui contains it without its licence. */
const swaggerUi = `## swagger-ui-dist (Apache-2.0)

Copyright SmartBear Software Inc.

Licensed under the Apache License, Version 2.0: https://www.apache.org/licenses/LICENSE-2.0
`;
writeLicences(output, [swaggerUi, readFileSync(`${consoleFiles}/licenses.md`, 'utf8')], 'dist/THIRD-PARTY-LICENSES.md');
