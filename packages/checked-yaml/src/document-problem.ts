import type { Found } from './shape-problems.ts';

/** A problem in a document, described so that its author can fix it. */
export interface DocumentProblem {
  /** First line of the value in question, counted from 1. */
  readonly line: number;
  /** Where in the document: `functions.thumbnail.timeout`; empty for a fault of the YAML itself. */
  readonly path: string;
  readonly problem: string;
}

/** The lines of a document's values. */
interface Places {
  readonly lineOf: (keys: readonly string[]) => number;
  /** A place as it was written. Default: as it is. */
  readonly writtenPath?: (keys: readonly string[]) => readonly string[];
}

/** Problems with their lines, in the order of the document. */
export function locateProblems(found: readonly Found[], { lineOf, writtenPath }: Places): DocumentProblem[] {
  return found
    .map(({ keys, problem }) => ({ line: lineOf(keys), path: (writtenPath?.(keys) ?? keys).join('.'), problem }))
    .sort((a, b) => a.line - b.line);
}

/** `file:line: path problem`, as compilers write it, so that editors find the place. */
export function describeProblem(file: string, { line, path, problem }: DocumentProblem): string {
  return path === '' ? `${file}:${line}: ${problem}` : `${file}:${line}: ${path} ${problem}`;
}
