import { isDeepStrictEqual } from 'node:util';
import { mergeSettings } from './function-config.ts';
import { type FunctionSettings, type OwnSettings, type Settings, settingNames } from './functions-schema.ts';
import type { EntryName } from './names/index.ts';
import { readAnnotations } from './openfaas/index.ts';

/**
 * The complete settings of a function: its own, then its OpenFaaS annotations, then inherited ones. Ignores the rest of
 * its entry, such as the image in a stack. Expects an entry that matches the schema.
 */
export function completeSettings(
  { name, defaultNamespace }: EntryName,
  own: OwnSettings,
  inherited: Settings,
): FunctionSettings {
  const merged = mergeSettings(inherited, mergeSettings(readAnnotations(own.annotations).settings, own));
  const { url = '', retry = {}, ...others } = merged;
  const known = Object.entries(others).filter(([key]) => settingNames.has(key));
  return {
    url: url.replaceAll('{name}', name),
    ...Object.fromEntries(known),
    ...(Object.keys(retry).length > 0 && { retry }),
    ...(defaultNamespace !== undefined && !name.includes('.') && { defaultNamespace }),
  };
}

/** The namespaces that may be left out of names, by these. */
export function namespacesOf(settings: Iterable<readonly [string, FunctionSettings]>): Map<string, string> {
  const found = [...settings].flatMap(([name, { defaultNamespace }]) =>
    defaultNamespace === undefined ? [] : [[name, defaultNamespace] as const],
  );
  return new Map(found);
}

/** The names of the settings in which two differ, those of `retry` one by one, in alphabetical order. */
export function changedSettings(one: FunctionSettings, other: FunctionSettings): string[] {
  const [a, b] = [flatten(one), flatten(other)];
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].filter((name) => !isDeepStrictEqual(a[name], b[name])).sort();
}

function flatten({ retry, ...others }: FunctionSettings): Record<string, unknown> {
  const ofRetry = Object.entries(retry ?? {}).map(([key, value]) => [`retry.${key}`, value]);
  return { ...others, ...Object.fromEntries(ofRetry) };
}
