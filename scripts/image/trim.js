// Leaves of a workspace what its apps need at run time: node scripts/image/trim.js FOLDER
// In FOLDER are apps/ and packages/, built or not, with or without node_modules as pnpm makes them. What goes:
//   - workspaces that no app depends on (tests have them), and all that a package.json does not name in `files`
//   - declarations; of dependencies also source maps, sources in TypeScript, tests, examples, benchmarks and pages
// Our own source maps stay: Node runs with --enable-source-maps, and a stack trace in a log names the line of the source.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';

const declarations = /\.d\.[cm]?ts(\.map)?$/;
const waste = /\.(map|[cm]?ts|md|markdown)$/i;
const wasteFolder = /^(\..+|tests?|docs?|examples?|benchmarks?|bench|perf|fixtures?|integration|e2e)$/;
const licence = /^(licen[cs]e|copying|notice|unlicense)/i;

const [folder] = process.argv.slice(2);
if (folder === undefined || !existsSync(join(folder, 'apps'))) {
  process.stderr.write(`trim.js: ${folder ?? 'no folder given'}: name the root of a workspace, in which apps/ is\n`);
  process.exit(1);
}
trim(folder);

function trim(root) {
  removeOthers(root, ['apps', 'packages', 'node_modules']);
  const workspaces = readWorkspaces(root);
  const needed = closure(workspaces);
  for (const [name, { path, manifest }] of workspaces) {
    if (needed.has(name)) {
      removeOthers(path, ['package.json', 'node_modules', ...manifest.files]);
      removeFiles(path, (file) => declarations.test(file));
    } else {
      rmSync(path, { recursive: true });
    }
  }
  for (const path of installedPackages(root)) {
    trimDependency(path);
  }
}

function readWorkspaces(root) {
  const paths = ['apps', 'packages'].flatMap((room) => foldersIn(join(root, room)));
  const all = paths.map((path) => ({ path, manifest: readManifest(path) }));
  return new Map(all.map((workspace) => [workspace.manifest.name, workspace]));
}

/** The apps and what they depend on, and what that depends on, among the workspaces. */
function closure(workspaces) {
  const apps = [...workspaces].filter(([, { path }]) => basename(dirname(path)) === 'apps');
  const needed = new Set(apps.map(([name]) => name));
  for (const name of needed) {
    const { dependencies = {} } = workspaces.get(name).manifest;
    for (const dependency of Object.keys(dependencies).filter((each) => workspaces.has(each))) {
      needed.add(dependency);
    }
  }
  return needed;
}

/** The folders of pnpm's store that packages are in: what else is there are links to those. */
function installedPackages(root) {
  const places = foldersIn(join(root, 'node_modules', '.pnpm')).map((place) => join(place, 'node_modules'));
  const named = places.flatMap((place) => foldersIn(place));
  return named.flatMap((path) => (basename(path).startsWith('@') ? foldersIn(path) : [path]));
}

function trimDependency(path) {
  const manifest = readManifest(path);
  const { main, module, exports, bin, imports } = manifest;
  const entries = JSON.stringify([main, module, exports, bin, imports]);
  for (const room of foldersIn(path).map((each) => basename(each))) {
    if (wasteFolder.test(room) && !entries.includes(`${room}/`)) {
      rmSync(join(path, room), { recursive: true });
    }
  }
  // The licence of some is in their README alone.
  const hasLicence = readdirSync(path).some((name) => licence.test(name));
  removeFiles(path, (file) => waste.test(file) && !licence.test(file) && (hasLicence || !/^readme/i.test(file)));
}

function removeFiles(path, isWaste) {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory() && entry.name !== 'node_modules') {
      removeFiles(inner, isWaste);
    } else if (entry.isFile() && isWaste(entry.name)) {
      rmSync(inner);
    }
  }
}

function removeOthers(path, kept) {
  for (const name of readdirSync(path).filter((each) => !kept.includes(each))) {
    rmSync(join(path, name), { recursive: true });
  }
}

function readManifest(path) {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
}

/** Links are none. */
function foldersIn(path) {
  const entries = existsSync(path) ? readdirSync(path, { withFileTypes: true }) : [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
}
