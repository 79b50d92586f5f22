import type { Found } from '@asyncfn/checked-yaml';
import { parseDuration } from '@asyncfn/units';
import { isNamePart, parseFunctionName } from '../../call/index.ts';
import { entriesOf } from '../entries-of.ts';
import { defaultQueue, maxRegistered, mergeSettings } from '../function-config.ts';
import type { FunctionsContent, Settings } from '../functions-schema.ts';
import { allNames, type EntryName, nameOfEntry, namespaceOfDocument } from '../names/index.ts';
import { gatewayExpectation, maxWaitAnnotation, minWaitAnnotation, readAnnotations } from '../openfaas/index.ts';
import { objectToUrl } from '../url/index.ts';
import type { DocumentContext } from './document-context.ts';

/** Problems of names and annotations, even in a document whose shape is wrong elsewhere. */
export function entryProblems(document: unknown, context: DocumentContext = {}): Found[] {
  const entries = entriesOf(document, 'functions');
  const ofDocument = namespaceOfDocument(document, context.defaultNamespace);
  const taken = new Set<string>();
  const ofFunctions = entries.flatMap(([key, settings]): Found[] => {
    const problem = nameProblem(nameOfEntry(key, settings, ofDocument), taken);
    const ofName = problem === undefined ? [] : [{ keys: ['functions', key], problem }];
    const annotations = Object.fromEntries(entriesOf(settings, 'annotations'));
    const ofAnnotations = readAnnotations(annotations).problems.map((each) => ({
      keys: ['functions', key, 'annotations', each.annotation],
      problem: each.problem,
    }));
    return [...ofName, ...ofAnnotations];
  });
  return [...ofFunctions, ...queueProblems(document)];
}

function queueProblems(document: unknown): Found[] {
  const names = entriesOf(document, 'queues').map(([name]) => name);
  const wrong = names.filter((name) => !isNamePart(name));
  return wrong.map((name) => ({ keys: ['queues', name], problem: 'must match [A-Za-z0-9_-]{1,63}' }));
}

/** Problems in a document of the right shape. */
export function contentProblems(content: FunctionsContent, context: DocumentContext = {}): Found[] {
  return [...gatewayProblems(content, context), ...waitProblems(content), ...crowdProblems(content)];
}

/** @param taken all names of the functions before it; adds its own names */
function nameProblem({ name, defaultNamespace }: EntryName, taken: Set<string>): string | undefined {
  if (parseFunctionName(name) === undefined) {
    return 'must be NAME or NAME.NAMESPACE, each [A-Za-z0-9_-]{1,63}';
  }
  const names = allNames(name, [defaultNamespace]);
  const isTaken = names.some((each) => taken.has(each));
  for (const each of names) {
    taken.add(each);
  }
  const oneFunction = defaultNamespace === undefined ? '' : `; NAME and NAME.${defaultNamespace} are one function`;
  return isTaken ? `is a function that stands here a second time${oneFunction}` : undefined;
}

/** Each queue with too many functions is reported once, at the first function that is too many. */
function crowdProblems({ functions, defaults = {} }: FunctionsContent): Found[] {
  const counts = new Map<string, number>();
  return Object.entries(functions ?? {}).flatMap(([key, own]): Found[] => {
    const annotated = readAnnotations(own.annotations).settings;
    const queue = own.queue ?? annotated.queue ?? defaults.queue ?? defaultQueue;
    const count = (counts.get(queue) ?? 0) + 1;
    counts.set(queue, count);
    const problem = `is one function too many for the queue ${queue}, which can have ${maxRegistered}; set queue to another`;
    return count === maxRegistered + 1 ? [{ keys: ['functions', key], problem }] : [];
  });
}

/** A stack may omit the gateway as long as no function needs it: no default would be a safe guess. */
function gatewayProblems(content: FunctionsContent, { openfaasUrl }: DocumentContext): Found[] {
  const { provider, functions, defaults } = content;
  const isNamed = provider === undefined || Boolean(provider.gateway);
  const isNeeded = defaults?.url === undefined && Object.values(functions ?? {}).some(({ url }) => url === undefined);
  const problem = isNamed || !isNeeded ? undefined : missingGateway(openfaasUrl);
  return problem === undefined ? [] : [{ keys: ['provider', 'gateway'], problem }];
}

/** Shows the problem of a variable, never its value (P9). */
function missingGateway(openfaasUrl: string | undefined): string | undefined {
  if (openfaasUrl === undefined) {
    return `is missing; it ${gatewayExpectation}; or set OPENFAAS_URL`;
  }
  const objection = objectToUrl(openfaasUrl);
  return objection && `is missing, and OPENFAAS_URL, which stands in for it, ${gatewayExpectation}: it ${objection}`;
}

type Retry = Settings['retry'];

/** `defaults` answer for themselves; a function answers for the waits that it sets. */
function waitProblems({ functions, defaults = {} }: FunctionsContent): Found[] {
  const ofDefaults = { keys: ['defaults', 'retry', 'minWait'], problem: 'must not be longer than maxWait' };
  const found = contradicts(defaults.retry) ? [ofDefaults] : [];
  for (const [key, own] of Object.entries(functions ?? {})) {
    const annotated = readAnnotations(own.annotations).settings;
    const place = waitPlace(own.retry, annotated.retry);
    if (place !== undefined && contradicts(mergeSettings(defaults, mergeSettings(annotated, own)).retry)) {
      found.push({ keys: ['functions', key, ...place.keys], problem: place.problem });
    }
  }
  return found;
}

/** The place of a function's own wait, and the problem to report if it contradicts another one. */
function waitPlace(own: Retry, annotated: Retry): Found | undefined {
  if (own?.minWait !== undefined || own?.maxWait !== undefined) {
    return { keys: ['retry', 'minWait'], problem: 'must not be longer than maxWait' };
  }
  if (annotated?.minWait !== undefined) {
    return { keys: ['annotations', minWaitAnnotation], problem: 'must not be longer than the longest wait' };
  }
  return annotated?.maxWait === undefined
    ? undefined
    : { keys: ['annotations', maxWaitAnnotation], problem: 'must not be shorter than the least wait' };
}

function contradicts({ minWait = 0, maxWait }: NonNullable<Retry> = {}): boolean {
  return maxWait !== undefined && (parseDuration(String(minWait)) ?? 0) > (parseDuration(String(maxWait)) ?? 0);
}
