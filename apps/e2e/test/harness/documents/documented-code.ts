import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

/** The blocks of code in one language on a page of the documentation. */
export async function documentedCode(page: string, language: string): Promise<string[]> {
  const markdown = await readFile(new URL(`../../../../../docs/${page}`, import.meta.url), 'utf8');
  return [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, written]) => written === language)
    .map(([, , code = '']) => code);
}

/** Loads a block of JavaScript as a module, from a file in `folder`; bare imports are those of these tests. */
export async function loadDocumentedModule(
  code: string,
  folder: string,
  name: string,
): Promise<Record<string, unknown>> {
  const path = join(folder, `${name}.mjs`);
  const resolved = code.replace(/from '([a-z]+)'/g, (_, bare: string) => `from '${import.meta.resolve(bare)}'`);
  await writeFile(path, resolved);
  return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
}

/** The output of Python for a block of code and more lines below it, with `input` as JSON in `given`. */
export async function runDocumentedPython(code: string, lines: string, input: unknown): Promise<string> {
  const program = `${code}\nimport json, sys\ngiven = json.load(sys.stdin)\n${lines}\n`;
  const python = spawn('python3', ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = once(python, 'error').then(([cause]) => {
    throw new Error('python3 cannot be run: these tests need it, to try the code in the documentation', { cause });
  });
  python.stdin.end(JSON.stringify(input));
  return (await Promise.race([text(python.stdout), failed])).trim();
}
