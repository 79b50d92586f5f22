/** The entries of the map at `key` of a value that can be anything. */
export function entriesOf(value: unknown, key: string): [string, unknown][] {
  if (!isMap(value) || !Object.hasOwn(value, key)) {
    return [];
  }
  const inner: unknown = Reflect.get(value, key);
  return typeof inner === 'object' && inner !== null ? Object.entries(inner) : [];
}

/** Whether a value of a document is a map. */
export function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
