// Writes the map of rooms in ARCHITECTURE.md from the first lines of each room's way in. With --check it writes nothing,
// and fails if the map is out of date, a room has no way in, or a folder holds too many files to be one subsystem.
// Another root than this repository can be given as the last argument.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Files of a folder that are not tests. */
const mostFiles = 12;
const begin = "<!-- Written by `pnpm docs:write` from the first lines of each room's index.ts. -->";
const end = '<!-- End of what `pnpm docs:write` writes. -->';

const root =
  process.argv.slice(2).find((argument) => argument !== '--check') ?? fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');
const problems = [];

const page = join(root, 'ARCHITECTURE.md');
const text = readFileSync(page, 'utf8');
const wanted = withMap(text, renderMap());
if (!check) {
  writeFileSync(page, wanted);
} else if (wanted !== text) {
  problems.push('ARCHITECTURE.md: the map of rooms is out of date: run `pnpm docs:write` and commit it');
}
for (const problem of problems) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}

function renderMap() {
  const rooms = [];
  for (const source of sourceFolders()) {
    const folders = foldersBelow(source);
    for (const folder of folders) {
      checkSize(folder);
    }
    const lines = folders.filter((folder) => folder !== source).map((folder) => renderRoom(source, folder));
    if (lines.length > 0) {
      rooms.push(`| \`${source}/\` | |\n|---|---|\n${lines.join('\n')}\n`);
    }
  }
  return rooms.join('\n');
}

function renderRoom(source, folder) {
  return `| \`${folder.slice(source.length + 1)}/\` | ${purposeOf(folder)} |`;
}

/** The comment at the head of the file through which a room is entered: `run.ts` for one that a process starts. */
function purposeOf(folder) {
  const files = filesIn(folder);
  const wayIn = ['index.ts', 'run.ts'].find((file) => files.includes(file));
  if (wayIn === undefined) {
    problems.push(`${folder}: has no index.ts, the one way into a room`);
    return '';
  }
  const lines = readFileSync(join(root, folder, wayIn), 'utf8').split('\n');
  const head = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('// ')),
  );
  if (head.length === 0) {
    problems.push(`${folder}/${wayIn}: does not say in its first line, after \`// \`, what the room is for`);
  }
  return head.map((line) => line.slice('// '.length)).join(' ');
}

function checkSize(folder) {
  const files = filesIn(folder).filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.test.ts'));
  if (files.length > mostFiles) {
    problems.push(`${folder}: has ${files.length} source files; a room has at most ${mostFiles}`);
  }
}

function withMap(markdown, map) {
  const from = markdown.indexOf(begin);
  const to = markdown.indexOf(end);
  if (from < 0 || to < 0) {
    throw new Error('ARCHITECTURE.md: the comments are missing between which the map of rooms stands');
  }
  return `${markdown.slice(0, from + begin.length)}\n\n${map}\n${markdown.slice(to)}`;
}

function sourceFolders() {
  return ['apps', 'packages']
    .flatMap((group) => foldersIn(group))
    .flatMap((folder) => foldersIn(folder))
    .filter((folder) => folder.endsWith('/src'));
}

function foldersBelow(folder) {
  const below = foldersIn(folder).flatMap(foldersBelow);
  return filesIn(folder).some((file) => file.endsWith('.ts')) ? [folder, ...below] : below;
}

function foldersIn(folder) {
  return entriesOf(folder)
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map(({ name }) => `${folder}/${name}`);
}

function filesIn(folder) {
  return entriesOf(folder)
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

function entriesOf(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
