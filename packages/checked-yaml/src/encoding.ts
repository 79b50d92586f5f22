import type { YamlFault } from './yaml-fault.ts';

const asUtf8 = 'save it as UTF-8';

/**
 * The encoding problem of a file that was read as UTF-8: it is in another encoding, or holds a byte order mark in the
 * wrong place. One at the very start is fine.
 */
export function encodingFault(text: string): YamlFault | undefined {
  const encoding = foreignEncoding(text);
  if (encoding !== undefined) {
    return { line: 1, problem: `the file is ${encoding} and not UTF-8; ${asUtf8}` };
  }
  const mark = text.indexOf('\uFEFF', 1);
  if (mark >= 0) {
    const problem = 'a byte order mark (BOM, U+FEFF) stands in the middle of the file; remove it';
    return { line: lineAt(text, mark), problem };
  }
  const nul = text.indexOf('\0');
  return nul < 0 ? undefined : { line: lineAt(text, nul), problem: 'a NUL character stands here; remove it' };
}

/** The byte order marks of UTF-16 and UTF-32 are not UTF-8: each of their bytes that is not NUL is read as U+FFFD. */
function foreignEncoding(text: string): string | undefined {
  if (/^(?:\uFFFD\uFFFD\0\0|\0\0\uFFFD\uFFFD)/.test(text)) {
    return 'UTF-32';
  }
  // Without a mark, every second byte of ASCII text is NUL.
  return /^(?:\uFFFD\uFFFD|\0[^\0]\0[^\0]|[^\0]\0[^\0]\0)/.test(text) ? 'UTF-16' : undefined;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
