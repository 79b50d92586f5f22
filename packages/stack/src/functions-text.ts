import type { FunctionEntries } from './stack.ts';

/** The text of a functions file. */
export function toFunctionsText(functions: FunctionEntries): string {
  const entries = Object.entries(functions).map(([name, entry]) => [
    name,
    typeof entry === 'string' ? { url: entry } : entry,
  ]);
  // YAML takes JSON.
  return JSON.stringify({ functions: Object.fromEntries(entries) });
}
