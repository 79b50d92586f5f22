import type { Found } from '@asyncfn/checked-yaml';
import { entriesOf, isMap } from '../entries-of.ts';
import { gatewayExpectation, isStack } from '../openfaas/index.ts';
import { showUrl, urlExpectation, urlProblem } from '../url/index.ts';

/** The form of a text with filled-in variables that may be shown; undefined for any other text. */
type Written = (keys: readonly string[]) => string | undefined;

interface UrlPlace {
  readonly keys: readonly string[];
  readonly url: unknown;
  readonly expectation?: string;
}

/** Problems of the URLs of a document, and functions without one, even if its shape is wrong elsewhere. */
export function urlProblems(document: unknown, written: Written = () => undefined): Found[] {
  const wrong = urlPlaces(document).flatMap(({ keys, url, expectation }): Found[] => {
    const source = written(keys);
    const shown = source === undefined ? undefined : `${showUrl(source)}, with its variables filled in,`;
    const problem = typeof url === 'string' ? urlProblem(url, expectation, shown) : undefined;
    return problem === undefined ? [] : [{ keys, problem }];
  });
  return [...wrong, ...missingUrls(document)];
}

/** An empty gateway counts as missing. */
function urlPlaces(document: unknown): UrlPlace[] {
  const ofGateway = entriesOf(document, 'provider').filter(([key, url]) => key === 'gateway' && url !== '');
  const defaults = defaultsOf(document);
  return [
    ...ofGateway.map(([key, url]) => ({ keys: ['provider', key], url, expectation: gatewayExpectation })),
    ...(hasUrl(defaults) ? [{ keys: ['defaults', 'url'], url: defaults.url }] : []),
    ...entriesOf(document, 'functions').flatMap(([name, settings]) =>
      hasUrl(settings) ? [{ keys: ['functions', name, 'url'], url: settings.url }] : [],
    ),
  ];
}

/** A function has its own URL or that of `defaults`; in a stack also that of the gateway. */
function missingUrls(document: unknown): Found[] {
  if (isStack(document) || hasUrl(defaultsOf(document))) {
    return [];
  }
  const without = entriesOf(document, 'functions').filter(([, settings]) => isMap(settings) && !hasUrl(settings));
  return without.map(([name]) => ({ keys: ['functions', name, 'url'], problem: `is missing; ${urlExpectation}` }));
}

function defaultsOf(document: unknown): unknown {
  return isMap(document) && 'defaults' in document ? document.defaults : undefined;
}

function hasUrl(settings: unknown): settings is { readonly url: unknown } {
  return isMap(settings) && Object.hasOwn(settings, 'url');
}
