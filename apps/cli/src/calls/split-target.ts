/** The function of a call, and what is appended to its URL. */
export interface CallTarget {
  readonly name: string;
  /** Begins with `/` or `?`, or is empty. */
  readonly path: string;
}

/** `thumbnail/small?format=webp` is the function `thumbnail` and the rest. */
export function splitTarget(text: string): CallTarget {
  const end = text.search(/[/?]/);
  return end < 0 ? { name: text, path: '' } : { name: text.slice(0, end), path: text.slice(end) };
}
