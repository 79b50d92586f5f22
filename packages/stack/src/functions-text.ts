/** The functions file: each function's URL, or its settings. */
export type FunctionEntries = Readonly<
  Record<string, string | { readonly url: string; readonly [key: string]: unknown }>
>;

/** Groups: names for several functions each. */
export type FunctionGroups = Readonly<Record<string, readonly string[]>>;

/** The text of a functions file. */
export function toFunctionsText(functions: FunctionEntries, groups: FunctionGroups = {}): string {
  const entries = Object.entries(functions).map(([name, entry]) => [
    name,
    typeof entry === 'string' ? { url: entry } : entry,
  ]);
  // JSON is YAML.
  return JSON.stringify({ functions: Object.fromEntries(entries), groups });
}
