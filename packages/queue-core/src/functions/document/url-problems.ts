import type { Found } from '@asyncfn/checked-yaml';
import { entriesOf, isMap } from '../entries-of.ts';
import { gatewayExpectation, isStack } from '../openfaas/index.ts';
import { showUrl, urlExpectation, urlProblem } from '../url/index.ts';

/** What may be shown of a text in which variables were filled in; undefined for any other. */
type Written = (keys: readonly string[]) => string | undefined;

interface UrlPlace {
  readonly keys: readonly string[];
  readonly url: unknown;
  readonly expectation?: string;
}

/** What is wrong with the URLs of a document, and which functions have none, also where its shape is wrong elsewhere. */
export function urlProblems(document: unknown, written: Written = () => undefined): Found[] {
  const wrong = urlPlaces(document).flatMap(({ keys, url, expectation }): Found[] => {
    const source = written(keys);
    const shown = source === undefined ? undefined : `${showUrl(source)}, with its variables filled in,`;
    const problem = typeof url === 'string' ? urlProblem(url, expectation, shown) : undefined;
    return problem === undefined ? [] : [{ keys, problem }];
  });
  return [...wrong, ...missingUrls(document)];
}

/** An empty gateway is none. */
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

/** A function of ours has its own URL or that of `defaults`; in a stack there is the gateway as well. */
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
