// Writes the licences of everything that is bundled.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param output the chunks of a bundle
 * @param further texts of licences that other bundlers have written
 * @param file path of the file to write
 */
export function writeLicences(output, further, file) {
  const folders = new Set(output.flatMap((chunk) => (chunk.moduleIds ?? []).flatMap(packageFolderOf)));
  const entries = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const text = readLicence(folder) ?? `No licence text is in the package. Its licence is ${license}.`;
    return `## ${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
  const own = [...new Set(entries)].toSorted();
  writeFileSync(file, `# asyncfn contains code of these packages\n\n${[...own, ...further].join('\n')}`);
}

function packageFolderOf(id) {
  const match = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(id);
  return match === null ? [] : [match[1]];
}

function readLicence(folder) {
  const name = readdirSync(folder).find((file) => /^(licen[cs]e|copying)/i.test(file));
  return name === undefined ? undefined : readFileSync(join(folder, name), 'utf8');
}
