import type { Found } from '@asyncfn/checked-yaml';
import { readCallbackUrl } from '../../callback-guard/index.ts';
import { entriesOf, isMap } from '../entries-of.ts';

/** A place in a document where settings of functions stand. */
interface SettingsPlace {
  readonly keys: readonly string[];
  readonly settings: unknown;
}

export const callbackUrlExpectation =
  'must be an absolute http or https URL without user and password, for example https://example.com/done';

/** Problems of what follows the calls of a function, even in a document whose shape is wrong elsewhere. */
export function followUpProblems(document: unknown): Found[] {
  return settingsPlaces(document).flatMap(({ keys, settings }) =>
    entriesOf({ settings }, 'settings')
      .filter(([key, value]) => isCallbackSetting(key) && typeof value === 'string' && !isCallbackUrl(value))
      .map(([key]) => ({ keys: [...keys, key], problem: callbackUrlExpectation })),
  );
}

function settingsPlaces(document: unknown): SettingsPlace[] {
  const defaults = isMap(document) && 'defaults' in document ? [document.defaults] : [];
  return [
    ...defaults.map((settings) => ({ keys: ['defaults'], settings })),
    ...entriesOf(document, 'functions').map(([name, settings]) => ({ keys: ['functions', name], settings })),
  ];
}

function isCallbackSetting(key: string): boolean {
  return key === 'callbackUrl' || key === 'failureCallbackUrl';
}

/** The API shows the settings of a function, so a URL among them must hold no credentials (P9). */
function isCallbackUrl(text: string): boolean {
  const url = readCallbackUrl(text);
  return url !== undefined && url.ambiguity === undefined && url.credentials === undefined;
}
