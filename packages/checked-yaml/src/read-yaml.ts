import { LineCounter, visit } from 'yaml';
import { type ParsedDocument, parseOnly } from './documents.ts';
import { encodingFault } from './encoding.ts';
import { type FilledDocument, fillDocument } from './fill-document.ts';
import { MarkedText } from './marked-text.ts';
import type { Variables } from './variables.ts';
import type { YamlFault } from './yaml-fault.ts';

export interface YamlOptions {
  /** Fills in `${NAME}` in keys and values. Default: it stays as it is. */
  readonly variables?: Variables | undefined;
}

/** The value of a YAML text. */
type YamlContent =
  | (FilledDocument & {
      readonly kind: 'value';
      /** The line of the value at these keys, or of its closest existing parent. */
      readonly lineOf: (keys: readonly string[]) => number;
    })
  | { readonly kind: 'faults'; readonly faults: readonly YamlFault[] };

/** Reads YAML, so JSON too, with merge keys (`<<`), which are common in files for other tools. */
export function readYaml(text: string, { variables }: YamlOptions = {}): YamlContent {
  const encoding = encodingFault(text);
  if (encoding !== undefined) {
    return { kind: 'faults', faults: [encoding] };
  }
  const marked = new MarkedText(text, variables);
  const lines = new LineCounter();
  const { document, furtherAt } = parseOnly(marked.text, {
    lineCounter: lines,
    prettyErrors: false,
    resolveKnownTags: false,
    merge: true,
  });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const faults = [
    ...document.errors.map(({ pos, message }) => ({ line: lineAt(pos[0]), problem: marked.restore(message) })),
    ...danglingAliases(document).map(({ at, problem }) => ({ line: lineAt(at), problem: marked.restore(problem) })),
    ...furtherAt.map((at) => ({ line: lineAt(at), problem: furtherDocument })),
  ];
  if (faults.length > 0) {
    return { kind: 'faults', faults };
  }
  try {
    const filled = fillDocument(document, marked);
    const nameOf = (key: unknown): string => marked.fill(String(key)).text;
    return {
      ...filled,
      kind: 'value',
      value: filled.value ?? {},
      lineOf: (keys) => lineAt(offsetOf(document, keys, nameOf)),
    };
  } catch (error) {
    // Too many aliases of aliases, or a merge of a value that is not a map.
    const problem = marked.restore(error instanceof Error ? error.message : String(error));
    return { kind: 'faults', faults: [{ line: 1, problem }] };
  }
}

const furtherDocument =
  'a second document starts here, and the file may hold only one: move its content up into the first, and remove the ---';

function danglingAliases(document: ParsedDocument): { at: number; problem: string }[] {
  const found: { at: number; problem: string }[] = [];
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) === undefined) {
        const { source, range } = alias;
        found.push({ at: range?.[0] ?? 0, problem: `*${source} stands for nothing: no &${source} before it` });
      }
    },
  });
  return found;
}

/** The key's own place says more than that of its value; the closest existing parent stands in for a missing one. */
function offsetOf(document: ParsedDocument, keys: readonly string[], nameOf: (key: unknown) => string): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const key of keys) {
    const item = findItem(node, key, nameOf);
    if (item === undefined) {
      return offset;
    }
    offset = item.offset;
    node = item.node;
  }
  return offset;
}

interface Item {
  readonly offset: number;
  readonly node: unknown;
}

/** The value under `key` in a map or sequence node of the YAML document. */
function findItem(parent: unknown, key: string, nameOf: (key: unknown) => string): Item | undefined {
  if (typeof parent !== 'object' || parent === null || !('items' in parent) || !Array.isArray(parent.items)) {
    return undefined;
  }
  for (const [index, item] of parent.items.entries()) {
    const named: { range?: [number, number, number]; value?: unknown } | undefined = item?.key ?? item;
    const name = item?.key === undefined ? String(index) : nameOf(named?.value);
    if (named?.range && name === key) {
      return { offset: named.range[0], node: item?.key === undefined ? item : item.value };
    }
  }
  return undefined;
}
