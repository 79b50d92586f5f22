import type { CallFilter } from '@asyncfn/queue-core';
import type { FunctionNames } from '@asyncfn/queue-core/functions';
import type { CallSearch } from '@asyncfn/queue-core/jetstream';
import { type Caller, coversFunction, hasScope } from '@asyncfn/tokens';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { callerOf } from '../auth/index.ts';
import { toCallView } from '../calls/index.ts';
import type { AcceptContext } from '../enqueue/index.ts';
import { keepFromCaches, readJsonBodies, requireBroker } from '../http/index.ts';
import { invalidParameter } from '../problem.ts';
import { type Lists, takeTurns } from '../waiting/index.ts';
import { parseCursor, toCursor } from './cursor.ts';
import { parseFilter, refuseUnknown } from './parse-filter.ts';
import { searchQuery, searchSchema } from './search-schema.ts';

export interface SearchRouteOptions extends Pick<AcceptContext, 'lookup'> {
  readonly search: Pick<CallSearch, 'list'>;
  readonly names: Pick<FunctionNames, 'namesOf'>;
  /** Whether calls can be found, and it is known what functions are called. */
  readonly places: { readonly available: boolean };
  readonly lists: Lists;
}

const defaultLimit = 100;
const maxLimit = 1_000;

/** `GET /system/calls`, for operators and for the console. */
export const searchRoutes: FastifyPluginCallbackTypebox<SearchRouteOptions> = (app, options, done) => {
  readJsonBodies(app);
  requireBroker(app, options.places);
  keepFromCaches(app);
  takeTurns(app, options.lists);
  app.get(
    '/system/calls',
    // The schema describes the parameters, and the parsers check them.
    { schema: searchSchema, config: { scope: 'read' }, validatorCompiler: () => (value) => ({ value }) },
    (request) => list(options, request),
  );
  done();
};

async function list({ search, names, lookup }: SearchRouteOptions, request: FastifyRequest) {
  const values = request.query as Readonly<Record<string, unknown>>;
  refuseUnknown(values, known);
  const filter: CallFilter = { ...parseFilter(values, names), ...coverOf(callerOf(request), names) };
  const { calls, next, complete } = await search.list(filter, {
    limit: parseLimit(values['limit']),
    from: parseCursor(values['cursor'], values),
  });
  return { calls: calls.map((state) => toCallView(state, lookup)), cursor: next && toCursor(next, values), complete };
}

/** The functions whose calls a caller may see. */
function coverOf(caller: Caller, names: Pick<FunctionNames, 'namesOf'>): Pick<CallFilter, 'covers'> {
  return hasScope(caller, 'admin') ? {} : { covers: (name) => coversFunction(caller, name, names) };
}

const known: ReadonlySet<string> = new Set(Object.keys(searchQuery.properties));

function parseLimit(value: unknown): number {
  if (value === undefined) {
    return defaultLimit;
  }
  const limit = typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (limit < 1 || limit > maxLimit) {
    throw invalidParameter(`limit must be one whole number from 1 to ${maxLimit}, such as ${defaultLimit}.`);
  }
  return limit;
}
