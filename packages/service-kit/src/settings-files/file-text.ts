import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** The content of a file, or why it cannot be read. */
export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly why: string };

/** Reads a file that another one names. A relative path starts at that file's folder. */
export async function readFileText(name: string, namedBy: string): Promise<FileText> {
  try {
    return { kind: 'text', text: await readFile(resolve(dirname(namedBy), name), 'utf8') };
  } catch (error) {
    return { kind: 'unreadable', why: error instanceof Error ? error.message : String(error) };
  }
}
