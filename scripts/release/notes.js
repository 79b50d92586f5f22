// Prints the notes of a release, from CHANGELOG.md: node scripts/release/notes.js v1.2.3 [ROOT]
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { readNotes } from './version.js';

const [tag = '', root = fileURLToPath(new URL('../..', import.meta.url))] = process.argv.slice(2);
const notes = readNotes(root, tag.replace(/^v/, ''));
if (notes === undefined) {
  process.stderr.write(`CHANGELOG.md: has no "## [${tag.replace(/^v/, '')}] - YYYY-MM-DD" for ${tag || 'a tag'}\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(`${notes}\n`);
}
