import { type Document, LineCounter, parseDocument, visit } from 'yaml';

/** A fault of the YAML itself. */
interface YamlFault {
  /** Counted from 1. */
  readonly line: number;
  readonly problem: string;
}

/** What a text of YAML says. */
type YamlContent =
  | {
      readonly kind: 'value';
      readonly value: unknown;
      /** The line of what the keys lead to, or of the closest thing around it that is there. */
      readonly lineOf: (keys: readonly string[]) => number;
    }
  | { readonly kind: 'faults'; readonly faults: readonly YamlFault[] };

/** Reads YAML, so JSON too, with merge keys (`<<`), which are common in files for other tools. */
export function readYaml(text: string): YamlContent {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    resolveKnownTags: false,
    merge: true,
  });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const faults = [
    ...document.errors.map(({ pos, message }) => ({ line: lineAt(pos[0]), problem: message })),
    ...danglingAliases(document).map(({ at, problem }) => ({ line: lineAt(at), problem })),
  ];
  if (faults.length > 0) {
    return { kind: 'faults', faults };
  }
  try {
    const value: unknown = document.toJS() ?? {};
    return { kind: 'value', value, lineOf: (keys) => lineAt(offsetOf(document, keys)) };
  } catch (error) {
    // Aliases of aliases that multiply beyond measure, or a merge of what is no map.
    return { kind: 'faults', faults: [{ line: 1, problem: error instanceof Error ? error.message : String(error) }] };
  }
}

function danglingAliases(document: Document.Parsed): { at: number; problem: string }[] {
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

/** The key's own place says more than that of its value; the closest parent that exists stands in for what is missing. */
function offsetOf(document: Document.Parsed, keys: readonly string[]): number {
  for (let depth = keys.length; depth > 0; depth--) {
    const parent: unknown = document.getIn(keys.slice(0, depth - 1), true);
    const offset = keyOffset(parent, keys[depth - 1]);
    if (offset !== undefined) {
      return offset;
    }
  }
  return 0;
}

/** The offset of `key` in a map or sequence node of the YAML document. */
function keyOffset(parent: unknown, key: string | undefined): number | undefined {
  if (typeof parent !== 'object' || parent === null || !('items' in parent) || !Array.isArray(parent.items)) {
    return undefined;
  }
  for (const [index, item] of parent.items.entries()) {
    const node: { range?: [number, number, number]; value?: unknown } | undefined = item?.key ?? item;
    if (node?.range && (String(node.value) === key || (item?.key === undefined && String(index) === key))) {
      return node.range[0];
    }
  }
  return undefined;
}
