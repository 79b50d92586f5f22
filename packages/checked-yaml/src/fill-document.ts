import { isPair, isScalar, visit } from 'yaml';
import type { ParsedDocument } from './documents.ts';
import type { MarkedText } from './marked-text.ts';
import type { Found } from './shape-problems.ts';

/** The value of a document with its variables filled in. */
export interface FilledDocument {
  readonly value: unknown;
  /** References that could not be filled in, each at its place. */
  readonly problems: readonly Found[];
  /** The original text of a value in which variables were filled in: their values must not be shown (P9). */
  readonly written: (keys: readonly string[]) => string | undefined;
  /** A place as it was written. */
  readonly writtenPath: (keys: readonly string[]) => string[];
}

/** A scalar without quotes: the filled-in text decides whether it is a text, a number or something else. */
class PlainText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The value of a document that was parsed from a marked text. Throws what `toJS` throws. */
export function fillDocument(document: ParsedDocument, marked: MarkedText): FilledDocument {
  if (!marked.hasReferences) {
    return { value: document.toJS(), problems: [], written: () => undefined, writtenPath: (keys) => [...keys] };
  }
  visit(document, {
    Scalar(key, node, path) {
      const isPlain = key !== 'key' && !isInKey(path) && node.type === 'PLAIN' && node.tag === undefined;
      if (isPlain && typeof node.value === 'string' && marked.isMarked(node.value)) {
        node.value = new PlainText(node.value);
      }
    },
  });
  const filling = new Filling(document, marked);
  const value = filling.fill(document.toJS(), []);
  return {
    value,
    problems: filling.problems,
    written: (keys) => filling.written.get(toKey(keys)),
    writtenPath: (keys) => keys.map((key, depth) => filling.writtenKeys.get(toKey(keys.slice(0, depth + 1))) ?? key),
  };
}

/** Whether it is part of a list or a map that is itself a key, and whose text becomes the key. */
function isInKey(path: readonly unknown[]): boolean {
  return path.some((parent, depth) => isPair(parent) && parent.key === path[depth + 1]);
}

class Filling {
  readonly problems: Found[] = [];
  readonly written = new Map<string, string>();
  readonly writtenKeys = new Map<string, string>();
  readonly #document: ParsedDocument;
  readonly #marked: MarkedText;

  constructor(document: ParsedDocument, marked: MarkedText) {
    this.#document = document;
    this.#marked = marked;
  }

  fill(value: unknown, keys: readonly string[]): unknown {
    if (value instanceof PlainText) {
      return resolvePlain(this.#document, this.#fillText(value.text, keys));
    }
    if (typeof value === 'string') {
      return this.#fillText(value, keys);
    }
    if (Array.isArray(value)) {
      return value.map((item, index) => this.fill(item, [...keys, String(index)]));
    }
    return typeof value === 'object' && value !== null ? this.#fillMap(value, keys) : value;
  }

  #fillMap(map: object, keys: readonly string[]): unknown {
    const seen = new Set<string>();
    const entries = Object.entries(map).map(([marked, value]) => {
      const { text: key, problems } = this.#marked.fill(marked);
      const place = [...keys, key];
      if (this.#marked.isMarked(marked)) {
        this.writtenKeys.set(toKey(place), this.#marked.restore(marked));
      }
      this.problems.push(...problems.map((problem) => ({ keys: place, problem })));
      if (seen.has(key)) {
        this.problems.push({ keys: place, problem: 'stands here a second time, once its variables are filled in' });
      }
      seen.add(key);
      return [key, this.fill(value, place)];
    });
    return Object.fromEntries(entries);
  }

  #fillText(text: string, keys: readonly string[]): string {
    if (!this.#marked.isMarked(text)) {
      return text;
    }
    const filled = this.#marked.fill(text);
    this.problems.push(...filled.problems.map((problem) => ({ keys, problem })));
    this.written.set(toKey(keys), this.#marked.restore(text));
    return filled.text;
  }
}

/** What YAML makes of a text without quotes, by the schema of the document. */
function resolvePlain({ schema, options }: ParsedDocument, text: string): unknown {
  for (const tag of schema.tags) {
    if (tag.default === true && 'test' in tag && tag.test?.test(text)) {
      const resolved: unknown = tag.resolve(text, () => {}, options);
      return isScalar(resolved) ? resolved.value : resolved;
    }
  }
  return text;
}

function toKey(keys: readonly string[]): string {
  return keys.join('\0');
}
