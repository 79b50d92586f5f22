import { parseFunctionName } from '@asyncfn/queue-core';
import {
  defaultQueue,
  type FunctionNames,
  type FunctionSettings,
  functionOfStep,
  isPaused,
  type KnownFunction,
  keepCredentials,
  maxRegistered,
  parseFunctionEntry,
  toWebhookConfig,
  type WebhookConfig,
  withApi,
  withoutApi,
} from '@asyncfn/queue-core/functions';
import type {
  ChangeDecision,
  QueueInspector,
  QueueTopology,
  RegisterChange,
  SharedRegister,
} from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { nameInvalidParameters, readJsonBodies, requireBroker } from '../http/index.ts';
import { type Refusal, RefusalError, refusal } from '../problem.ts';
import type { PurgeJobs } from '../purge/index.ts';
import { isMet, type Precondition, parsePrecondition, toEntityTag } from './entity-tag.ts';
import {
  type FunctionParams,
  listFunctionsSchema,
  pauseSchema,
  putFunctionSchema,
  type RemovalQuery,
  removeFunctionSchema,
  resumeSchema,
  showFunctionSchema,
} from './function-schemas.ts';
import { keptWebhook, toFunctionView } from './function-view.ts';

/** The part of the register that the gateway uses. */
export type FunctionAdmin = Pick<
  SharedRegister,
  'complete' | 'defaults' | 'defaultNamespace' | 'list' | 'find' | 'read' | 'change'
>;

export interface FunctionOptions {
  readonly functions: FunctionAdmin;
  readonly names: FunctionNames;
  /** Whether a name is that of a group, which takes the requests to it. */
  readonly isGroup: (name: string) => boolean;
  readonly inspector: Pick<QueueInspector, 'countCalls'>;
  readonly lanes: Pick<QueueTopology, 'pauseFunction'>;
  /** Cancels waiting calls. */
  readonly purges: Pick<PurgeJobs, 'run'>;
  /** Largest body of any call. */
  readonly maxBodyBytes: number;
  readonly webhookSecrets: {
    /** The problems of the secret files that a webhook names. */
    readonly problemsOf: (name: string, webhook: WebhookConfig) => Promise<readonly string[]>;
  };
  readonly logger: Logger;
}

const collection = '/system/functions';
const item = `${collection}/:name`;

type OneFunction = { Params: FunctionParams };
type Removal = { Params: FunctionParams; Querystring: RemovalQuery };

const config = { scope: 'admin' } as const;

/** `/system/functions`: the register of functions. A change is live in every process within 2 s. */
export const functionRoutes: FastifyPluginCallbackTypebox<FunctionOptions> = (app, options, done) => {
  readJsonBodies(app);
  nameInvalidParameters(app);
  const { functions } = options;
  requireBroker(app, {
    get available() {
      return functions.complete;
    },
  });
  app.get(collection, { config, schema: listFunctionsSchema }, () => ({
    functions: functions.list().map(toFunctionView),
  }));
  app.get<OneFunction>(item, { config, schema: showFunctionSchema }, (request, reply) => show(options, request, reply));
  app.put<OneFunction>(
    item,
    // The schema only describes: the body is validated like a functions file, which reports every problem at once.
    { config, schema: putFunctionSchema, validatorCompiler: () => () => true },
    (request, reply) => put(options, request, reply),
  );
  app.delete<Removal>(item, { config, schema: removeFunctionSchema }, (request, reply) =>
    remove(options, request, reply),
  );
  app.post<OneFunction>(`${item}/pause`, { config, schema: pauseSchema }, (request, reply) =>
    setPaused(options, request, reply, true),
  );
  app.post<OneFunction>(`${item}/resume`, { config, schema: resumeSchema }, (request, reply) =>
    setPaused(options, request, reply, false),
  );
  done();
};

/** A step must name a function that exists, which a functions file checks for its own. */
function missingStep({ functions, names }: FunctionOptions, own: string, { then = [] }: FunctionSettings) {
  const isThere = (step: string): boolean => {
    const name = names.resolve(functionOfStep(step));
    return name === own || functions.defaults.url !== undefined || functions.find(name) !== undefined;
  };
  const index = then.findIndex((step) => !isThere(step));
  return index < 0 ? undefined : refusal('invalid_function', `then.${index} names a function that is not registered.`);
}

/** The gateway must be able to read the secrets of a webhook, which a functions file checks for its own. */
async function wrongSecret({ webhookSecrets }: FunctionOptions, name: string, settings: FunctionSettings) {
  const webhook = toWebhookConfig(settings.webhook);
  const problems = webhook === undefined ? [] : await webhookSecrets.problemsOf(name, webhook);
  return problems.length === 0 ? undefined : refusal('invalid_function', `${problems.join('; ')}.`);
}

function show({ functions, names }: FunctionOptions, request: FastifyRequest<OneFunction>, reply: FastifyReply) {
  const found = functions.find(names.resolve(request.params.name));
  if (found === undefined) {
    return reply.refuse(notRegistered);
  }
  return isMet(preconditionOf(request), tagOf(found)) ? answer(reply, found) : reply.code(304).send();
}

async function put(options: FunctionOptions, request: FastifyRequest<OneFunction>, reply: FastifyReply) {
  const { functions, names, logger } = options;
  const called = names.resolve(request.params.name);
  if (parseFunctionName(called) === undefined) {
    return reply.refuse(refusal('invalid_parameter', 'name must be NAME or NAME.NAMESPACE, each [A-Za-z0-9_-]{1,63}.'));
  }
  if (options.isGroup(request.params.name) || options.isGroup(called)) {
    return reply.refuse(refusal('invalid_function', `${called} is a group in the functions file. Use another name.`));
  }
  const precondition = preconditionOf(request);
  const entry = withoutReadOnly(request.body);
  const { defaults, defaultNamespace } = functions;
  const webhooks = { maxBodyBytes: options.maxBodyBytes };
  const parsed = parseFunctionEntry(called, entry, defaults, { defaultNamespace, webhooks });
  if (parsed.kind === 'refused') {
    return reply.refuse(refusal('invalid_function', `${parsed.problems.join('; ')}.`));
  }
  const { name, settings } = parsed;
  const wrong = missingStep(options, name, settings) ?? (await wrongSecret(options, name, settings));
  if (wrong !== undefined) {
    return reply.refuse(wrong);
  }
  if (isFull(functions.list(), name, settings.queue)) {
    return reply.refuse(queueIsFull);
  }
  let lostCredentials = false;
  const change = await functions.change(name, (there) => {
    if (!isMet(precondition, tagOf(there))) {
      return { kind: 'refuse' };
    }
    const { url, lost } = keepCredentials(settings.url, there?.entry.settings.url);
    lostCredentials = lost;
    const kept = { ...keptNamespace(there), ...settings, url, ...keptWebhook(settings, there?.entry.settings) };
    return { kind: 'put', entry: withApi(there?.entry, kept) };
  });
  if (change.kind !== 'changed' || change.function === undefined) {
    return refuseChange(reply, change);
  }
  if (lostCredentials) {
    logger.warn(
      { function: name },
      'user and password of the former URL are dropped, because the new URL has another origin',
    );
  }
  logger.info({ function: name, queue: settings.queue, created: change.created }, 'function registered');
  return answer(
    reply.code(change.created ? 201 : 200).header('Content-Location', `${collection}/${name}`),
    change.function,
  );
}

async function remove(options: FunctionOptions, request: FastifyRequest<Removal>, reply: FastifyReply) {
  const { functions, names, purges, logger } = options;
  const name = names.resolve(request.params.name);
  const precondition = preconditionOf(request);
  const found = await functions.read(name);
  if (found === undefined) {
    return reply.refuse(notRegistered);
  }
  if (!isMet(precondition, tagOf(found))) {
    return reply.refuse(preconditionFailed);
  }
  const isKept = withoutApi(found.entry) !== undefined;
  const purge = request.query.purge === true && !isKept;
  const waiting = purge || isKept ? undefined : await refusalOfWaiting(options, name);
  if (waiting !== undefined) {
    return reply.refuse(waiting);
  }
  const progress = purge ? await purges.run({ function: name }) : undefined;
  if (progress?.done === false) {
    return reply.code(202).header('Retry-After', '5').send(progress);
  }
  const change = await functions.change(name, (there) => toRemoval(precondition, there));
  if (change.kind !== 'changed') {
    return refuseChange(reply, change);
  }
  if (purge) {
    await purges.run({ function: name }); // calls accepted meanwhile
  }
  logger.info(
    { function: name, purge },
    isKept ? 'function has the settings of the functions file' : 'function removed',
  );
  return reply.code(204).send();
}

/** Refuses to remove a function with calls that have not ended. */
async function refusalOfWaiting({ inspector }: FunctionOptions, name: string): Promise<Refusal | undefined> {
  const calls = await inspector.countCalls(name);
  if (calls === 0) {
    return undefined;
  }
  const detail = `${calls} calls of the function have not ended; purge=true cancels waiting calls.`;
  return { ...refusal('calls_waiting', detail), members: { calls } };
}

/** Without the API's settings, those of a functions file are in force again; without any, the function is removed. */
function toRemoval(precondition: Precondition, there: KnownFunction | undefined): ChangeDecision {
  if (there === undefined || !isMet(precondition, tagOf(there))) {
    return { kind: 'refuse' };
  }
  const entry = withoutApi(there.entry);
  return entry === undefined ? { kind: 'remove' } : { kind: 'put', entry };
}

async function setPaused(
  { functions, names, lanes, logger }: FunctionOptions,
  { params }: FastifyRequest<OneFunction>,
  reply: FastifyReply,
  paused: boolean,
) {
  const name = names.resolve(params.name);
  const change = await functions.change(name, (there) =>
    there === undefined ? { kind: 'refuse' } : { kind: 'put', entry: { ...there.entry, paused } },
  );
  if (change.kind === 'refused') {
    return reply.refuse(notRegistered);
  }
  if (change.kind !== 'changed' || change.function === undefined) {
    return refuseChange(reply, change);
  }
  // A function that its OpenFaaS no longer has stays paused until OpenFaaS lists it again.
  const isStopped = isPaused(change.function.entry);
  // Workers do this as well; here it takes effect at once, even if no worker runs.
  await Promise.all(names.namesOf(name).map((each) => lanes.pauseFunction(each, isStopped)));
  logger.info({ function: name }, paused ? 'function paused' : 'function resumed');
  return answer(reply, change.function);
}

function answer(reply: FastifyReply, found: KnownFunction): FastifyReply {
  const tag = tagOf(found);
  return (tag ? reply.header('ETag', tag) : reply).send(toFunctionView(found));
}

function tagOf(found: KnownFunction | undefined): string | undefined {
  return found === undefined ? undefined : toEntityTag(found.revision);
}

function preconditionOf({ headers }: Pick<FastifyRequest, 'headers'>): Precondition {
  const precondition = parsePrecondition(headers);
  if (precondition === undefined) {
    throw new RefusalError(
      refusal('invalid_parameter', 'If-Match and If-None-Match take * or entity tags in quotes, such as "42".'),
    );
  }
  return precondition;
}

function refuseChange(reply: FastifyReply, { kind }: RegisterChange): FastifyReply {
  return reply.refuse(kind === 'refused' ? preconditionFailed : contended);
}

/** Whether a queue has no room for this function, not counting the function itself. */
function isFull(known: readonly KnownFunction[], name: string, queue: string = defaultQueue): boolean {
  const others = known.filter(
    ({ name: other, entry }) => other !== name && (entry.settings.queue ?? defaultQueue) === queue,
  );
  return others.length >= maxRegistered;
}

/** Keeps the default namespace: requests do not set it, and another process may have set it. */
function keptNamespace(there: KnownFunction | undefined): Pick<FunctionSettings, 'defaultNamespace'> {
  const { defaultNamespace } = there?.entry.settings ?? {};
  return defaultNamespace === undefined ? {} : { defaultNamespace };
}

/** Removes what a response contains and a request cannot set, so that clients can write back what they read. */
function withoutReadOnly(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return body;
  }
  const entries = Object.entries(body).filter(([key]) => !readOnly.has(key));
  return Object.fromEntries(entries);
}

const readOnly: ReadonlySet<string> = new Set(['name', 'source', 'paused', 'defaultNamespace', 'discovered']);

const queueIsFull = refusal(
  'too_many_functions',
  `This queue has ${maxRegistered} other registered functions, which is the maximum. Use another queue.`,
);
const notRegistered = refusal('unknown_function', 'No function of this name is registered.');
const preconditionFailed = refusal('precondition_failed', 'The function is not in the state that the request expects.');
const contended = refusal('overloaded', 'The function is being changed by others. Try again.', {
  'Retry-After': '1',
});
