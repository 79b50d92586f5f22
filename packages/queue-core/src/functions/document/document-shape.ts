import { type Found, shapeProblems } from '@asyncfn/checked-yaml';
import { rateExpectation } from '@asyncfn/units';
import { Compile } from 'typebox/compile';
import { discoverExpectations } from '../discovery/index.ts';
import { type FunctionsContent, FunctionsDocument, StackDocument } from '../functions-schema.ts';
import { gatewayExpectation, isStack } from '../openfaas/index.ts';
import { urlExpectation } from '../url/index.ts';
import { webhookExpectations } from '../webhook/index.ts';
import { callbackUrlExpectation, stepExpectation, thenExpectation } from './follow-up-problems.ts';
import { groupExpectation } from './group-problems.ts';

export type CheckedShape =
  | { readonly kind: 'content'; readonly content: FunctionsContent }
  | { readonly kind: 'problems'; readonly problems: readonly Found[] };

const functionsFormat = Compile(FunctionsDocument);
const stackFormat = Compile(StackDocument);

const expectations: ReadonlyMap<string, string> = new Map([
  ['url', urlExpectation],
  ['gateway', gatewayExpectation],
  ['name', 'must be openfaas'],
  ['namespace', 'must match [A-Za-z0-9_-]{1,63}'],
  ['annotations', 'must be a map of texts'],
  ['queue', 'must match [A-Za-z0-9_-]{1,63}'],
  ['timeout', 'must be a duration such as 30s, 15m or 2h, or 0 for none'],
  ['minWait', 'must be a duration such as 250ms or 10s'],
  ['maxWait', 'must be a duration such as 30s or 2m'],
  ['concurrency', 'must be a whole number from 1 to 1000000'],
  ['rate', rateExpectation],
  ['maxPending', 'must be a whole number from 1 to 1000000000'],
  ['flow', 'must be a map such as { parallelism: 1, rate: 10/1m }'],
  ['parallelism', 'must be a whole number from 1 to 1000'],
  ['maxBytes', 'must be a size such as 512MiB or 10GiB'],
  ['callbackUrl', callbackUrlExpectation],
  ['failureCallbackUrl', callbackUrlExpectation],
  ['then', thenExpectation],
  ['adaptive', 'must be true or false'],
  ['attempts', 'must be a whole number from 0 to 1000'],
  ['backoff', 'must be exponential, full or equal'],
  ['codes', 'must be a list of different HTTP statuses, for example [429, 503]'],
  ...webhookExpectations,
  ...discoverExpectations,
]);

/** Whether a document has the shape of a functions file or of a `stack.yaml`. */
export function checkShape(value: unknown): CheckedShape {
  if (isStack(value)) {
    return stackFormat.Check(value) ? { kind: 'content', content: value } : toProblems(stackFormat.Errors(value));
  }
  return functionsFormat.Check(value) ? { kind: 'content', content: value } : toProblems(functionsFormat.Errors(value));
}

function toProblems(errors: ReturnType<typeof functionsFormat.Errors>): CheckedShape {
  return { kind: 'problems', problems: shapeProblems(errors, expectationOf) };
}

/** The name of a function, a queue or a group is never an unknown setting. */
function expectationOf(keys: readonly string[]): string | undefined {
  if (keys[0] === 'groups') {
    return keys.length > 2 ? 'must be the name of a function' : keys.length > 1 ? groupExpectation : undefined;
  }
  if (keys[0] === 'discover') {
    return keys.at(-1) === 'url'
      ? gatewayExpectation
      : expectations.get(keys.findLast((key) => expectations.has(key)) ?? '');
  }
  const settings = keys.slice(keys[0] === 'functions' || keys[0] === 'queues' ? 2 : 1);
  const setting = settings.findLast((key) => expectations.has(key)) ?? '';
  return setting === 'then' && settings.at(-1) !== setting ? stepExpectation : expectations.get(setting);
}
