// Gives each package.json of the workspace what people and registries look for: licence, engines, repository, the version of
// the root; and each published package the licence as a file. With --check it writes nothing, and fails with what is
// missing. Another root than this repository can be given as the last argument.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { readManifests } from './release/manifests.js';

const root =
  process.argv.slice(2).find((argument) => argument !== '--check') ?? fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');
const [{ manifest: main }, ...others] = readManifests(root);
const licence = readFileSync(join(root, 'LICENSE'), 'utf8');

for (const { folder, path, manifest } of others) {
  const { license, engines, version } = main;
  const wanted = { version, license, engines, repository: { ...main.repository, directory: folder } };
  const wrong = Object.entries(wanted).filter(([key, value]) => !isSame(manifest[key], value));
  if (wrong.length > 0) {
    settle(path, `does not have ${wrong.map(([key, value]) => `${key} ${JSON.stringify(value)}`).join(', ')}`, () =>
      render(manifest, Object.fromEntries(wrong)),
    );
  }
  const file = join(folder, 'LICENSE');
  if (
    manifest.private !== true &&
    !(existsSync(join(root, file)) && readFileSync(join(root, file), 'utf8') === licence)
  ) {
    settle(file, 'is not the licence of the repository', () => licence);
  }
}
for (const { path, manifest } of others.filter(({ manifest: { private: isPrivate } }) => isPrivate !== true)) {
  const { description, files, publishConfig } = manifest;
  if (!description || !files || publishConfig?.access !== 'public' || publishConfig.provenance !== true) {
    report(
      path,
      'is published, and needs a description, files, and a publishConfig with access public and provenance true',
    );
  }
}

function settle(path, problem, text) {
  if (check) {
    report(path, `${problem}: run \`pnpm docs:write\` and commit it`);
  } else {
    writeFileSync(join(root, path), text());
  }
}

function report(path, problem) {
  process.stderr.write(`${path}: ${problem}\n`);
  process.exitCode = 1;
}

/** Fields that the manifest lacks go behind its description. */
function render(manifest, fields) {
  const added = Object.entries(fields).filter(([key]) => !(key in manifest));
  const entries = Object.entries(manifest).flatMap(([key, value]) => {
    const entry = [key, fields[key] ?? value];
    return key === 'license' || (key === 'description' && !('license' in manifest)) ? [entry, ...added] : [entry];
  });
  return `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`;
}

function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
