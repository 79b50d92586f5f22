// The package.json files of the workspace.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Each with its path from the root and its folder: that of the root first, whose folder is ''. */
export function readManifests(root) {
  const rooms = ['apps', 'packages'].flatMap((room) => foldersIn(root, room));
  return ['', ...rooms]
    .map((folder) => ({ folder, path: join(folder, 'package.json') }))
    .filter(({ path }) => existsSync(join(root, path)))
    .map(({ folder, path }) => ({ folder, path, manifest: JSON.parse(readFileSync(join(root, path), 'utf8')) }));
}

function foldersIn(root, room) {
  const entries = readdirSync(join(root, room), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${room}/${name}`);
}
