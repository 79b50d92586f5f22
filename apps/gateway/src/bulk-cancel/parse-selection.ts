import type { CallFilter } from '@asyncfn/queue-core';
import type { FunctionNames } from '@asyncfn/queue-core/functions';
import { invalidParameter } from '../problem.ts';
import { parseFilter } from '../search/index.ts';
import { livingStatuses } from './cancel-matching.ts';
import { cancelBody } from './cancel-schema.ts';

/** Which calls to cancel, and how many at most. */
export interface Selection {
  readonly filter: CallFilter;
  readonly limit: number;
}

/** Most calls of one request, and the default: a request without a limit means all calls. */
const maxLimit = 10_000;
const known: readonly string[] = Object.keys(cancelBody.properties);
const filters = known.filter((name) => name !== 'limit').join(', ');

/** Throws `RefusalError` that says what is wrong with the body, and what would be right; never what was sent (P9). */
export function parseSelection(body: unknown, names: Pick<FunctionNames, 'namesOf'>): Selection {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalidParameter(
      'The body must be a JSON object with at least one filter, such as {"function":"thumbnail"}.',
    );
  }
  const { limit, ...values } = body as Readonly<Record<string, unknown>>;
  if (Object.keys(values).some((name) => !known.includes(name))) {
    throw invalidParameter(`The body has a field that is not known. It may have ${known.join(', ')}.`);
  }
  if (Object.values(values).every((value) => value === undefined)) {
    throw invalidParameter(`The body names no filter, which would cancel all calls. Name at least one of ${filters}.`);
  }
  const filter = parseFilter(values, names);
  if (filter.statuses !== undefined && [...filter.statuses].some((status) => !livingStatuses.has(status))) {
    throw invalidParameter(
      `status names calls that have ended. Only ${[...livingStatuses].join(', ')} can be cancelled.`,
    );
  }
  return { filter, limit: parseLimit(limit) };
}

function parseLimit(limit: unknown = maxLimit): number {
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    throw invalidParameter(`limit must be a whole number from 1 to ${maxLimit}, such as 1000.`);
  }
  return limit;
}
