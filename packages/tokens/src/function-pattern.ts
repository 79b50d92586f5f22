/** `NAME` or `NAME.NAMESPACE`, in each at most one star. */
const part = '[A-Za-z0-9_-]*(?:\\*[A-Za-z0-9_-]*)?';
const form = new RegExp(`^(?=.)${part}(?:\\.(?=.)${part})?$`);

/**
 * Reads a pattern for function names, such as `thumbnail`, `pdf-*` or `*.team-a`. A star stands for any number of
 * characters but a dot, so that `*` holds no function of a namespace: rights should not grow by a new namespace.
 *
 * @returns undefined for a text that is no such pattern
 */
export function parseFunctionPattern(text: string): RegExp | undefined {
  if (!form.test(text) || text.startsWith('.')) {
    return undefined;
  }
  // One star a part: there is nothing to backtrack into.
  return new RegExp(`^${text.replaceAll('.', '\\.').replaceAll('*', '[^.]*')}$`);
}
