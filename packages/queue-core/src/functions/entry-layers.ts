import type { FunctionEntry } from './function-entry.ts';
import type { FunctionSettings } from './functions-schema.ts';

/** What the API and a functions file say about a function. The API's settings are in force, if there are any. */
interface Layers {
  readonly api: FunctionSettings | undefined;
  readonly file: FunctionSettings | undefined;
}

/** The entry with these settings of the API, in front of those of a functions file. */
export function withApi(entry: FunctionEntry | undefined, api: FunctionSettings): FunctionEntry {
  return toEntry(entry, api, { api, file: toLayers(entry).file });
}

/** The entry as a functions file has it; undefined if no file names the function. */
export function withoutApi(entry: FunctionEntry): FunctionEntry | undefined {
  const { api, file } = toLayers(entry);
  return api && file && toEntry(entry, file, { api: undefined, file });
}

/** The entry with what a functions file says now, undefined for nothing. Undefined if nothing is left of it. */
export function withFile(
  entry: FunctionEntry | undefined,
  file: FunctionSettings | undefined,
): FunctionEntry | undefined {
  const { api } = toLayers(entry);
  const settings = api ?? file;
  return settings && toEntry(entry, settings, { api, file });
}

/** What a functions file says about the function; undefined for nothing. */
export function fileSettings(entry: FunctionEntry): FunctionSettings | undefined {
  return toLayers(entry).file;
}

function toLayers(entry: FunctionEntry | undefined): Layers {
  const isOfFile = entry?.source === 'file';
  return { api: isOfFile ? undefined : entry?.settings, file: isOfFile ? entry.settings : entry?.file };
}

/** Neither layer changes a pause. */
function toEntry(entry: FunctionEntry | undefined, settings: FunctionSettings, { api, file }: Layers): FunctionEntry {
  const { file: _, ...kept } = entry ?? { paused: false };
  return { ...kept, source: api ? 'api' : 'file', settings, ...(api && file && { file }) };
}
