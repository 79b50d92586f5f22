import type { Found } from '@asyncfn/checked-yaml';
import { climbs, parseFunctionName } from '../../call/index.ts';
import { readCallbackUrl } from '../../callback-guard/index.ts';
import { maxChainSteps } from '../../chain/index.ts';
import { entriesOf, isMap } from '../entries-of.ts';
import { allNames, nameOfEntry, namespaceOfDocument } from '../names/index.ts';

/** A place in a document where settings of functions stand. */
interface SettingsPlace {
  readonly keys: readonly string[];
  readonly settings: unknown;
}

/** Whether a function of this name exists, or may exist. */
type Exists = (name: string) => boolean;

export const callbackUrlExpectation =
  'must be an absolute http or https URL without user and password, for example https://example.com/done';
export const thenExpectation = `must be a list of at most ${maxChainSteps} steps, for example [flip, store/thumbnails]`;
export const stepExpectation = 'must be a step NAME[.NAMESPACE][/path][?query] without spaces and commas';

/**
 * Problems of what follows the calls of a function, even in a document whose shape is wrong elsewhere.
 * @param exists which functions steps may name. Default: any
 */
export function followUpProblems(document: unknown, exists: Exists = () => true): Found[] {
  return settingsPlaces(document).flatMap(({ keys, settings }) =>
    entriesOf({ settings }, 'settings').flatMap(([key, value]) => {
      const found = key === 'then' ? thenProblems(value, exists) : urlProblems(key, value);
      return found.map((each) => ({ ...each, keys: [...keys, key, ...each.keys] }));
    }),
  );
}

/**
 * The functions that a document names, and those that exist: all, if its `defaults` make a function of every name, or if
 * some are still to be found.
 */
export function functionsOf(document: unknown, defaultNamespace: string | undefined) {
  const ofDocument = namespaceOfDocument(document, defaultNamespace);
  const names = entriesOf(document, 'functions').flatMap(([key, settings]) => {
    const entry = nameOfEntry(key, settings, ofDocument);
    return allNames(entry.name, [entry.defaultNamespace, ofDocument]);
  });
  const known = new Set(names);
  const isAny = entriesOf(document, 'defaults').some(([key]) => key === 'url');
  const isFound = entriesOf(document, 'discover').length > 0;
  const isNamed: Exists = (name) => known.has(name);
  const exists: Exists = (name) => isAny || isFound || known.has(name);
  return { isNamed, exists };
}

/** The function that a step names. */
export function functionOfStep(step: string): string {
  return /^[^/?]*/.exec(step)?.[0] ?? '';
}

function settingsPlaces(document: unknown): SettingsPlace[] {
  const defaults = isMap(document) && 'defaults' in document ? [document.defaults] : [];
  return [
    ...defaults.map((settings) => ({ keys: ['defaults'], settings })),
    ...entriesOf(document, 'functions').map(([name, settings]) => ({ keys: ['functions', name], settings })),
  ];
}

function urlProblems(key: string, value: unknown): Found[] {
  const isWrong = isCallbackSetting(key) && typeof value === 'string' && !isCallbackUrl(value);
  return isWrong ? [{ keys: [], problem: callbackUrlExpectation }] : [];
}

function isCallbackSetting(key: string): boolean {
  return key === 'callbackUrl' || key === 'failureCallbackUrl';
}

/** The API shows the settings of a function, so a URL among them must hold no credentials (P9). */
function isCallbackUrl(text: string): boolean {
  const url = readCallbackUrl(text);
  return url !== undefined && url.ambiguity === undefined && url.credentials === undefined;
}

/** A value that is not a list of texts is a problem of the document's shape. */
function thenProblems(value: unknown, exists: Exists): Found[] {
  if (!Array.isArray(value)) {
    return [];
  }
  if (value.length === 0 || value.length > maxChainSteps) {
    return [{ keys: [], problem: thenExpectation }];
  }
  return value.flatMap((step: unknown, index) => {
    const problem = typeof step === 'string' ? stepProblem(step, exists) : undefined;
    return problem === undefined ? [] : [{ keys: [String(index)], problem }];
  });
}

function stepProblem(step: string, exists: Exists): string | undefined {
  const name = functionOfStep(step);
  if (parseFunctionName(name) === undefined || !/^[!-+\--~]+$/.test(step) || step.includes('#')) {
    return stepExpectation;
  }
  const [path = ''] = step.slice(name.length).split('?', 1);
  if (climbs(path)) {
    return 'has ".." segments that lead out of its function';
  }
  return exists(name) ? undefined : `names the function ${name}, which is not among the functions`;
}
