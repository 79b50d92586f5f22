import { type FlowControl, type FlowPlace, flowPlaceIn, isFlowKey } from '@asyncfn/queue-core';
import type { FunctionConfig, FunctionNames } from '@asyncfn/queue-core/functions';
import type { Logger } from '@asyncfn/service-kit';
import { type Caller, coversFunction, hasScope, type Token } from '@asyncfn/tokens';
import { formatRate, parseRate, rateExpectation } from '@asyncfn/units';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../auth/index.ts';
import { keepFromCaches, nameInvalidParameters, readJsonBodies, requireBroker } from '../http/index.ts';
import { invalidParameter, RefusalError, refusal } from '../problem.ts';
import { type Lists, takeTurns } from '../waiting/index.ts';
import type { FlowAdmin } from './flow-admin.ts';
import {
  type FlowParams,
  type FlowQuery,
  type ListQuery,
  listFlowsSchema,
  type PinBody,
  pauseFlowSchema,
  pinFlowSchema,
  resumeFlowSchema,
  showFlowSchema,
  unpinFlowSchema,
} from './flow-schemas.ts';
import { parseCursor, toCursor, toFlowView } from './flow-view.ts';

export interface FlowOptions {
  readonly flows: Pick<FlowAdmin, 'list' | 'find' | 'show' | 'control'>;
  readonly lookup: (name: string) => Pick<FunctionConfig, 'queue'> | undefined;
  readonly names: Pick<FunctionNames, 'resolve' | 'namesOf'>;
  /** The tokens that calls may be submitted with; undefined if the gateway requires none. */
  readonly tokens: (() => readonly Pick<Token, 'name'>[]) | undefined;
  /** Whether keys can be read. */
  readonly places: { readonly available: boolean };
  readonly lists: Lists;
  readonly logger: Logger;
}

type OneFlow = FastifyRequest<{ Params: FlowParams; Querystring: FlowQuery }>;
interface OneFlowRoute {
  Params: FlowParams;
  Querystring: FlowQuery;
}

const collection = '/system/flows';
const item = `${collection}/:function/:key`;
const defaultLimit = 100;
const maxBytes = 4 * 1024;

/** `/system/flows`: the flow keys that have calls, for operators. */
export const flowRoutes: FastifyPluginCallbackTypebox<FlowOptions> = (app, options, done) => {
  readJsonBodies(app, maxBytes);
  nameInvalidParameters(app);
  requireBroker(app, options.places);
  keepFromCaches(app);
  takeTurns(app, options.lists);
  const reading = { scope: 'read' } as const;
  const config = { scope: 'admin' } as const;
  app.get<{ Querystring: ListQuery }>(collection, { config: reading, schema: listFlowsSchema }, (request) =>
    list(options, callerOf(request), request.query),
  );
  app.get<OneFlowRoute>(item, { config: reading, schema: showFlowSchema }, (request, reply) =>
    show(options, request, reply),
  );
  app.post<OneFlowRoute>(`${item}/pause`, { config, schema: pauseFlowSchema }, (request, reply) =>
    change(options, request, reply, { control: { paused: true }, done: 'flow key paused' }),
  );
  app.post<OneFlowRoute>(`${item}/resume`, { config, schema: resumeFlowSchema }, (request, reply) =>
    change(options, request, reply, { control: { paused: false }, done: 'flow key resumed' }),
  );
  app.put<OneFlowRoute & { Body: PinBody }>(item, { config, schema: pinFlowSchema }, (request, reply) =>
    change(options, request, reply, { control: { pin: toPin(request.body) }, done: 'flow key pinned' }),
  );
  app.delete<OneFlowRoute>(item, { config, schema: unpinFlowSchema }, async (request, reply) => {
    await change(options, request, reply.code(204), { control: { pin: null }, done: 'flow key unpinned' });
  });
  done();
};

async function list({ flows, names }: FlowOptions, caller: Caller, query: ListQuery) {
  const { function: name, limit = defaultLimit, cursor } = query;
  const wanted = name === undefined ? undefined : new Set(names.namesOf(name));
  const sees = (each: string): boolean => hasScope(caller, 'admin') || coversFunction(caller, each, names);
  const includes = (each: string): boolean => (wanted === undefined || wanted.has(each)) && sees(each);
  const page = await flows.list(includes, limit, parseCursor(cursor));
  return { flows: page.flows.map(toFlowView), cursor: page.next && toCursor(page.next) };
}

async function show(options: FlowOptions, request: OneFlow, reply: FastifyReply) {
  if (!coversFunction(callerOf(request), request.params.function, options.names)) {
    return reply.refuse(refusal('forbidden', 'The token does not allow this function.'));
  }
  const { known, own } = await find(options, request);
  const [first = own(), ...others] = known;
  return toFlowView(await options.flows.show([first, ...others]));
}

/** Throws `RefusalError`. */
function toPin({ parallelism, rate }: PinBody): PinBody {
  const parsed = rate === undefined ? undefined : parseRate(rate);
  if (rate !== undefined && parsed === undefined) {
    throw invalidParameter(`rate ${rateExpectation}.`);
  }
  return { ...(parallelism !== undefined && { parallelism }), ...(parsed && { rate: formatRate(parsed) }) };
}

interface Change {
  readonly control: FlowControl;
  /** For the log. */
  readonly done: string;
}

/** In all queues that have calls of the key, and in that of the function now. */
async function change(options: FlowOptions, request: OneFlow, reply: FastifyReply, { control, done }: Change) {
  const { flows, logger } = options;
  const { known, own } = await find(options, request);
  const places: [FlowPlace, ...FlowPlace[]] = [own(known[0])];
  places.push(...known.filter(({ queue }) => queue !== places[0].queue));
  const detail = await flows.control(places, control);
  if (detail !== undefined) {
    return reply.refuse({ ...notChanged, reason: detail });
  }
  // The key is not logged: callers choose it (P9).
  const [{ function: name, queue, id: flow }] = places;
  logger.info({ function: name, queue, flow }, done);
  return reply.send(reply.statusCode === 204 ? undefined : toFlowView(await flows.show(places)));
}

/** Where a key is, of one submitter, and where it would be. Throws `RefusalError`. */
async function find(options: FlowOptions, request: OneFlow) {
  const { flows, lookup, names, tokens } = options;
  const { function: asked, key } = request.params;
  if (!isFlowKey(key)) {
    throw invalidParameter('key must be a flow key, and not . or ..');
  }
  const name = names.resolve(asked);
  const { submitter } = request.query;
  const given = submitter === undefined ? undefined : [submitter === '' ? undefined : submitter];
  const submitters = given ?? [undefined, ...(tokens?.() ?? []).map((token) => token.name)];
  const found = await flows.find({ function: name, key, submitters });
  const known = ofOne(found, callerOf(request));
  const queue = lookup(name)?.queue;
  if (queue === undefined && known.length === 0) {
    throw new RefusalError(refusal('unknown_function', 'No function of this name is registered.'));
  }
  const mayGuess = given !== undefined || tokens === undefined || request.method === 'GET';
  return {
    known: known.toSorted((one, other) => Number(other.queue === queue) - Number(one.queue === queue)),
    own: (like?: FlowPlace): FlowPlace => {
      if (like === undefined && !mayGuess) {
        throw invalidParameter(`There is no call with this key: ${nameOne}`);
      }
      const of = like ?? { function: name, submitter: given?.[0], key };
      return flowPlaceIn(queue ?? like?.queue ?? '', of);
    },
  };
}

/** Those of the caller, or else of the only submitter that has the key. Throws `RefusalError` if there are several. */
function ofOne(found: readonly FlowPlace[], { name }: Caller): readonly FlowPlace[] {
  const own = found.filter(({ submitter }) => name !== undefined && submitter === name);
  if (own.length === 0 && new Set(found.map(({ submitter }) => submitter)).size > 1) {
    throw invalidParameter(`Several tokens have calls with this key: ${nameOne}`);
  }
  return own.length > 0 ? own : found;
}

const nameOne = 'name the token with submitter, empty for none.';
const notChanged = refusal('overloaded', 'The key could not be changed yet. Try again.', { 'Retry-After': '1' });
