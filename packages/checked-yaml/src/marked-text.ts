import { type Filled, fillIn, findReferences, type Variables } from './variables.ts';

/**
 * A text of YAML whose references to variables are hidden behind marks, so that it can be parsed first and filled in
 * afterwards: whatever a variable holds, it is the text of one value, never a comment, a key or a list. A mark is a
 * number between two characters that YAML knows nothing of, and stands on the line of what it hides.
 */
export class MarkedText {
  /** The text to parse. */
  readonly text: string;
  readonly #variables: Variables;
  readonly #hidden: readonly string[];
  readonly #mark: RegExp;

  /** @param variables undefined leaves the text as it is */
  constructor(text: string, variables: Variables | undefined) {
    const [open, close] = unusedCharacters(text);
    const references = variables === undefined ? [] : findReferences(text);
    this.#variables = variables ?? (() => undefined);
    this.#hidden = references.map(({ start, end }) => text.slice(start, end));
    this.#mark = new RegExp(`${open}(\\d+)${close}`, 'g');
    this.text = references.reduceRight(
      (rest, { start, end }, index) => `${rest.slice(0, start)}${open}${index}${close}${rest.slice(end)}`,
      text,
    );
  }

  get hasReferences(): boolean {
    return this.#hidden.length > 0;
  }

  /** Whether a part of the marked text has anything to fill in. */
  isMarked(part: string): boolean {
    return part.search(this.#mark) >= 0;
  }

  /** A part of the marked text as it was written. */
  restore(part: string): string {
    return part.replace(this.#mark, (_, index) => this.#hidden[Number(index)] ?? '');
  }

  /** A part of the marked text with its references filled in. */
  fill(part: string): Filled {
    const problems: string[] = [];
    const text = part.replace(this.#mark, (_, index) => {
      const filled = fillIn(this.#hidden[Number(index)] ?? '', this.#variables);
      problems.push(...filled.problems);
      return filled.text;
    });
    return { text, problems };
  }
}

/** From the characters that Unicode reserves for private use (U+E000 to U+F8FF), and that YAML takes for letters. */
function unusedCharacters(text: string): [open: string, close: string] {
  const used = new Set(text);
  const unused: string[] = [];
  for (let code = 0xe000; unused.length < 2; code++) {
    const char = String.fromCharCode(code);
    if (!used.has(char)) {
      unused.push(char);
    }
  }
  return [unused[0] ?? '', unused[1] ?? ''];
}
