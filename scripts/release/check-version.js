// Fails unless everything that names the version names that of a tag: node scripts/release/check-version.js v1.2.3 [ROOT]
// Prints every problem, one a line.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { readManifests } from './manifests.js';
import { readNotes, readVersion } from './version.js';

const [tag = '', root = fileURLToPath(new URL('../..', import.meta.url))] = process.argv.slice(2);
const version = readVersion(root);
const problems = [];

if (tag !== `v${version}`) {
  problems.push(
    `the tag is ${tag || 'not given'}, and package.json has version ${version}: the tag must be v${version}`,
  );
}
for (const { path, manifest } of readManifests(root)) {
  if (manifest.version !== version) {
    problems.push(`${path}: has version ${manifest.version} instead of ${version}`);
  }
}
if (!read('Dockerfile').includes(`ARG VERSION=${version}\n`)) {
  problems.push(`Dockerfile: has no ARG VERSION=${version}`);
}
const manifests = ['base/gateway.yaml', 'base/worker.yaml', 'overlays/dev/samples.yaml'];
for (const path of manifests.map((name) => `deploy/kubernetes/${name}`)) {
  const images = read(path).match(/ghcr\.io\/asyncfn\/\S+/g) ?? [];
  for (const image of images.filter((each) => !each.endsWith(`:${version}`))) {
    problems.push(`${path}: names ${image} instead of version ${version}`);
  }
}
if (!readNotes(root, version)) {
  problems.push(`CHANGELOG.md: has no notes under "## [${version}] - YYYY-MM-DD"`);
}
for (const problem of problems) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}

function read(path) {
  return readFileSync(join(root, path), 'utf8');
}
