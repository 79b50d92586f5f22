/** A setting as a table shows it: text as it is, everything else as JSON. */
export function shown(value: unknown): string | undefined {
  return value === undefined ? undefined : typeof value === 'string' ? value : JSON.stringify(value);
}
