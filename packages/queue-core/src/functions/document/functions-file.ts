import { readFile } from 'node:fs/promises';
import { describeProblem } from '@asyncfn/checked-yaml';
import type { DocumentContext } from './document-context.ts';
import { type FileDefinition, noFile, parseFunctions } from './functions-document.ts';

/** A functions file that a process cannot start with. `problems` lists every problem with its line. */
export class FunctionsFileError extends Error {
  override readonly name = 'FunctionsFileError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: { cause?: unknown }) {
    super(problems.join('\n'), options);
    this.problems = problems;
  }
}

/** The result of a new content of the file. */
export type FunctionsReload =
  | { readonly kind: 'reloaded'; readonly functions: number }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** The functions file of a process, in its last good version. */
export class FunctionsFile {
  readonly path: string;
  /** What the process started with. */
  readonly text: string;
  readonly #context: DocumentContext;
  #definition: FileDefinition = noFile;

  private constructor(path: string, text: string, context: DocumentContext) {
    this.path = path;
    this.text = text;
    this.#context = context;
  }

  /** The last good content. */
  get definition(): FileDefinition {
    return this.#definition;
  }

  /** Reads the file. Throws `FunctionsFileError` if it cannot be read or has problems. */
  static async load(path: string, context: DocumentContext = {}): Promise<FunctionsFile> {
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new FunctionsFileError([`${path}: cannot be read: ${describe(cause)}`], { cause });
    });
    const file = new FunctionsFile(path, text, context);
    const outcome = file.take(text);
    if (outcome.kind === 'refused') {
      throw new FunctionsFileError(outcome.problems);
    }
    return file;
  }

  /** Applies a new content of the file. A bad one is refused as a whole: the last good one stays. */
  take(text: string): FunctionsReload {
    const parsed = parseFunctions(text, this.#context);
    if (parsed.kind === 'refused') {
      return { kind: 'refused', problems: parsed.problems.map((problem) => describeProblem(this.path, problem)) };
    }
    this.#definition = parsed.definition;
    return { kind: 'reloaded', functions: parsed.definition.functions.size };
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
