/** The value of a variable; undefined if it is not set. */
export type Variables = (name: string) => string | undefined;

/** A text with its variables filled in. */
export interface Filled {
  readonly text: string;
  /** Problems of its references. `text` has these references unchanged. */
  readonly problems: readonly string[];
}

/** A reference in a text, from `${` to `}`, or `$${`, which stands for `${` itself. */
interface Reference {
  readonly start: number;
  /** Behind its last character. */
  readonly end: number;
}

/**
 * Fills in `${NAME}` and `${NAME:-default}`, as faas-cli does in a stack file; `${NAME:=default}` and `${NAME=default}`
 * are the same, and `${NAME-default}` has its default only where the variable is not set at all. A default may hold
 * further references. `$${` is `${`, and a `$` without a brace is a `$`. Values are not looked through for references.
 *
 * @see https://docs.openfaas.com/reference/yaml/#yaml-environment-variable-substitution
 */
export function fillIn(text: string, variables: Variables): Filled {
  const problems: string[] = [];
  let filled = '';
  let done = 0;
  for (const { start, end } of findReferences(text)) {
    const value = evaluate(text.slice(start, end), variables);
    filled += text.slice(done, start) + value.text;
    problems.push(...value.problems);
    done = end;
  }
  return { text: filled + text.slice(done), problems };
}

/** The references of a text, in order. An unclosed `${` is not a reference. */
export function findReferences(text: string): Reference[] {
  const found: Reference[] = [];
  for (let start = text.indexOf('${'); start >= 0; ) {
    const isEscaped = text[start - 1] === '$' && (found.at(-1)?.end ?? 0) < start;
    const end = isEscaped ? start + 2 : (endOf(text, start) ?? start);
    if (end > start) {
      found.push({ start: isEscaped ? start - 1 : start, end });
    }
    start = text.indexOf('${', Math.max(end, start + 2));
  }
  return found;
}

/** Braces within are those of further references, or of a template such as `{name}`. */
function endOf(text: string, start: number): number | undefined {
  const newline = text.indexOf('\n', start);
  const line = text.slice(start, newline < 0 ? undefined : newline);
  let depth = 0;
  for (const { 0: brace, index } of line.matchAll(/[{}]/g)) {
    depth += brace === '{' ? 1 : -1;
    if (depth === 0) {
      return start + index + 1;
    }
  }
  const first = line.indexOf('}');
  return first < 0 ? undefined : start + first + 1;
}

const form = /^\$\{([A-Za-z_]\w*)(?:(:-|:=|=|-)(.*))?\}$/s;

function evaluate(reference: string, variables: Variables): Filled {
  if (reference === '$${') {
    return { text: '${', problems: [] };
  }
  const [, name, operator, fallback = ''] = form.exec(reference) ?? [];
  if (name === undefined) {
    const problem = `${reference} cannot be filled in; write \${NAME} or \${NAME:-default}, and $\${ for \${ itself`;
    return { text: reference, problems: [problem] };
  }
  const value = variables(name);
  const isThere = value !== undefined && (value !== '' || operator === undefined || operator === '-');
  if (isThere) {
    return { text: value, problems: [] };
  }
  if (operator !== undefined) {
    return fillIn(fallback, variables);
  }
  const problem = `\${${name}} is not set in the environment; set it, or write a default: \${${name}:-value}`;
  return { text: reference, problems: [problem] };
}
