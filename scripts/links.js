// Checks the Markdown of the repository: every relative link leads to a file, and to a heading if it names one, and no
// page holds a conflict marker. The list of decisions has each of them, with its title, and each has a number of its own.
// Another root than this repository can be given as the argument.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url));
/** Written by tools, or not ours. */
const skipped = new Set(['node_modules', 'dist', 'coverage']);
const link = /\[[^\]]*\]\(\s*<?([^)\s>]+)/g;

const problems = pagesBelow('.').flatMap((page) =>
  readFileSync(join(root, page), 'utf8').includes('\n<<<<<<< ')
    ? [`${page}: a conflict marker is left`]
    : linesOf(page).flatMap((line, index) =>
        deadLinks(page, line).map((problem) => `${page}:${index + 1}: ${problem}`),
      ),
);
for (const problem of [...problems, ...decisionProblems('docs/adr')]) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}

function decisionProblems(folder) {
  if (!existsSync(join(root, folder, 'README.md'))) {
    return [];
  }
  const list = readFileSync(join(root, folder, 'README.md'), 'utf8');
  const files = readdirSync(join(root, folder)).filter((file) => /^\d{4}-/.test(file));
  return files.flatMap((file, index) => {
    const number = file.slice(0, 4);
    const title = linesOf(join(folder, file), true)[0]?.replace(`# ${Number(number)}. `, '');
    const line = `| [${number}](${file}) | ${title} |`;
    return [
      ...(list.includes(line) ? [] : [`${folder}/README.md: this line is missing: ${line}`]),
      ...(files[index + 1]?.startsWith(number) === true ? [`${folder}: there are two decisions ${number}`] : []),
    ];
  });
}

function deadLinks(page, line) {
  return [...line.matchAll(link)].flatMap(([, target]) => problemOf(page, target) ?? []);
}

function problemOf(page, target) {
  if (/^[a-z][a-z+.-]*:/i.test(target)) {
    return undefined;
  }
  const [path, heading] = decodeURIComponent(target).split('#');
  const file = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(root, file))) {
    return `${target} does not exist`;
  }
  const isPage = heading !== undefined && file.endsWith('.md') && statSync(join(root, file)).isFile();
  return isPage && !headingsOf(file).has(heading) ? `${target}: ${file} has no such heading` : undefined;
}

/** The anchors that GitHub gives to the headings of a page. */
function headingsOf(page) {
  const seen = new Map();
  const titles = linesOf(page, true).flatMap((line) => /^#{1,6} +(.*?) *#*$/.exec(line)?.[1] ?? []);
  return new Set(
    titles.map((title) => {
      const text = title.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
      const slug = text.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

/** The lines of a page; those of code blocks and inline code are empty, unless headings are wanted. */
function linesOf(page, withCode = false) {
  let isCode = false;
  return readFileSync(join(root, page), 'utf8')
    .split('\n')
    .map((line) => {
      const isFence = /^\s*(```|~~~)/.test(line);
      isCode = isFence ? !isCode : isCode;
      return isFence || isCode ? '' : withCode ? line : line.replaceAll(/`[^`]*`/g, '');
    });
}

function pagesBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return skipped.has(entry.name) || entry.name.startsWith('.') ? [] : pagesBelow(path);
    }
    return entry.name.endsWith('.md') ? [path] : [];
  });
}
