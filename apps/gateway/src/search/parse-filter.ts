import {
  type CallFilter,
  type CallStatus,
  callStatuses,
  isCallId,
  isFlowKey,
  isLabel,
  maxLabelLength,
  parseFunctionName,
} from '@asyncfn/queue-core';
import type { FunctionNames } from '@asyncfn/queue-core/functions';
import { parseInstant } from '@asyncfn/units';
import { invalidParameter } from '../problem.ts';

/** The values of a filter as they are sent, by the name of their parameter. */
export type FilterValues = Readonly<Partial<Record<FilterName, unknown>>>;

/** The parameters of a filter. */
export const filterNames = [
  'function',
  'queue',
  'status',
  'label',
  'flowKey',
  'parent',
  'batch',
  'from',
  'to',
] as const;

type FilterName = (typeof filterNames)[number];

const namePart = /^[A-Za-z0-9_-]{1,63}$/;

/** Throws `RefusalError` if a request names a parameter that is not known. */
export function refuseUnknown(values: object, known: ReadonlySet<string>): void {
  if (Object.keys(values).some((name) => !known.has(name))) {
    throw invalidParameter(`There is a parameter that this path does not know. It knows ${[...known].join(', ')}.`);
  }
}

/** The function that a request names. Throws `RefusalError`. */
export function parseFunction(values: FilterValues): string | undefined {
  return parseText(values, 'function', (text) => (parseFunctionName(text) === undefined ? undefined : text));
}

/**
 * Parses the filter of calls that a request names. Throws `RefusalError` that names the first parameter which is wrong, and
 * what would be right; never what was sent (P9).
 */
export function parseFilter(values: FilterValues, names: Pick<FunctionNames, 'namesOf'>): CallFilter {
  const name = parseFunction(values);
  const filter: CallFilter = {
    functions: name === undefined ? undefined : names.namesOf(name),
    queue: parseText(values, 'queue', (text) => (namePart.test(text) ? text : undefined)),
    statuses: parseStatuses(values.status),
    label: parseText(values, 'label', (text) => (isLabel(text) ? text : undefined)),
    flowKey: parseText(values, 'flowKey', (text) => (isFlowKey(text) ? text : undefined)),
    parentId: parseText(values, 'parent', (text) => (isCallId(text) ? text : undefined)),
    batchId: parseText(values, 'batch', (text) => (isCallId(text) ? text : undefined)),
    fromMs: parseText(values, 'from', parseInstant),
    toMs: parseText(values, 'to', parseInstant),
  };
  if (filter.fromMs !== undefined && filter.toMs !== undefined && filter.fromMs > filter.toMs) {
    throw invalidParameter('from is later than to: swap them.');
  }
  return filter;
}

/** What a parameter must be. */
const rules: Readonly<Record<Exclude<FilterName, 'status'>, string>> = {
  function: 'NAME or NAME.NAMESPACE, each of 1 to 63 characters of A-Z, a-z, 0-9, _ and -, such as thumbnail',
  queue: 'the name of a queue, 1 to 63 characters of A-Z, a-z, 0-9, _ and -, such as default',
  label: `one label, 1 to ${maxLabelLength} characters of A-Z, a-z, 0-9 and . _ = : -, such as customer=7`,
  flowKey: 'one flow key, 1 to 128 visible ASCII characters, percent-encoded (a + is sent as %2B)',
  parent: 'a call id, 1 to 128 characters of A-Z, a-z, 0-9, _ and -',
  batch: 'the id of a batch, 1 to 128 characters of A-Z, a-z, 0-9, _ and -',
  from: 'an RFC 3339 date-time with an offset, such as 2030-01-31T12:00:00Z (a + is sent as %2B)',
  to: 'an RFC 3339 date-time with an offset, such as 2030-01-31T12:00:00Z (a + is sent as %2B)',
};

function parseText<T>(
  values: FilterValues,
  name: keyof typeof rules,
  parse: (text: string) => T | undefined,
): T | undefined {
  const value = values[name];
  if (value === undefined) {
    return undefined;
  }
  if (Array.isArray(value)) {
    throw invalidParameter(`${name} is sent more than once: send it once.`);
  }
  const parsed = typeof value === 'string' ? parse(value) : undefined;
  if (parsed === undefined) {
    throw invalidParameter(`${name} must be ${rules[name]}.`);
  }
  return parsed;
}

function parseStatuses(value: unknown): ReadonlySet<CallStatus> | undefined {
  if (value === undefined) {
    return undefined;
  }
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const statuses = texts.map((text) => callStatuses.find((status) => status === text));
  const known = statuses.filter((status) => status !== undefined);
  if (known.length < statuses.length || known.length === 0) {
    const where = texts.length > 1 ? `, and value ${statuses.indexOf(undefined) + 1} is none of them` : '';
    throw invalidParameter(
      `status must be one of ${callStatuses.join(', ')}${where}. Repeat the parameter for several.`,
    );
  }
  return new Set(known);
}
