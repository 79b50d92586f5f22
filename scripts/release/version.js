// The version that this repository is of.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param root the root of the repository */
export function readVersion(root) {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
}

/** The text below a version's heading in CHANGELOG.md; undefined if it has none. */
export function readNotes(root, version) {
  const sections = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split(/^## /m);
  const heading = new RegExp(`^\\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d\\d-\\d\\d\\n`);
  const section = sections.find((text) => heading.test(text));
  return section?.replace(heading, '').trim();
}
