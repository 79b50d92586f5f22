import { type Call, createCallId, identityOf } from '@asyncfn/queue-core';
import type { ScheduleStore } from '@asyncfn/queue-core/jetstream';
import {
  fileOf,
  scheduleNameProblem,
  toScheduledCall,
  withApiSettings,
  withoutApiSettings,
  withPause,
} from '@asyncfn/queue-core/schedules';
import type { Logger } from '@asyncfn/service-kit';
import { anyone } from '@asyncfn/tokens';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../auth/index.ts';
import { type AcceptContext, type CallIntake, toQueueRefusal } from '../enqueue/index.ts';
import { nameInvalidParameters, readJsonBodies, requireBroker } from '../http/index.ts';
import { invalidParameter, RefusalError, refusal } from '../problem.ts';
import { type Lists, takeTurns } from '../waiting/index.ts';
import { checkCalls, checkSchedule } from './check-schedule.ts';
import type { KnownSchedule, ScheduleRegister } from './schedule-register.ts';
import {
  listSchedulesSchema,
  pauseScheduleSchema,
  putScheduleSchema,
  removeScheduleSchema,
  resumeScheduleSchema,
  type ScheduleParams,
  showScheduleSchema,
  triggerSchema,
} from './schedule-schemas.ts';
import { toRunViews, toScheduleView } from './schedule-view.ts';

export interface ScheduleOptions extends Omit<AcceptContext, 'createCallId'> {
  readonly schedules: Pick<ScheduleRegister, 'find' | 'list' | 'change'>;
  readonly runs: Pick<ScheduleStore, 'readRuns' | 'addRun'>;
  readonly queue: Pick<CallIntake, 'available' | 'accept'>;
  /** `X-Start-Time` of the next call. */
  readonly startTime: () => string;
  /** Called for each call that was stored. */
  readonly onStored: (call: Call) => void;
  readonly lists: Lists;
  readonly logger: Logger;
}

type OneSchedule = FastifyRequest<{ Params: ScheduleParams }>;

const collection = '/system/schedules';
const item = `${collection}/:name`;
/** Schedules have the bodies and headers of calls. */
const config = { scope: 'admin' } as const;
/** Largest request: the settings with white space. */
const maxBytes = 128 * 1024;

/** `/system/schedules`: calls that come by themselves. */
export const scheduleRoutes: FastifyPluginCallbackTypebox<ScheduleOptions> = (app, options, done) => {
  readJsonBodies(app, maxBytes);
  nameInvalidParameters(app);
  requireBroker(app, options.queue);
  takeTurns(app, options.lists);
  app.get(collection, { config, schema: listSchedulesSchema }, () => list(options));
  app.get<{ Params: ScheduleParams }>(item, { config, schema: showScheduleSchema }, (request, reply) =>
    show(options, request, reply),
  );
  app.put<{ Params: ScheduleParams }>(
    item,
    // The schema only describes: the body is checked as a functions file is, and every problem reported.
    { config, schema: putScheduleSchema, validatorCompiler: () => () => true },
    (request, reply) => put(options, request, reply),
  );
  app.delete<{ Params: ScheduleParams }>(item, { config, schema: removeScheduleSchema }, (request, reply) =>
    remove(options, request, reply),
  );
  app.post<{ Params: ScheduleParams }>(`${item}/pause`, { config, schema: pauseScheduleSchema }, (request, reply) =>
    setPaused(options, request, reply, true),
  );
  app.post<{ Params: ScheduleParams }>(`${item}/resume`, { config, schema: resumeScheduleSchema }, (request, reply) =>
    setPaused(options, request, reply, false),
  );
  app.post<{ Params: ScheduleParams }>(`${item}/trigger`, { config, schema: triggerSchema }, (request, reply) =>
    trigger(options, request, reply),
  );
  done();
};

async function list({ schedules, now }: ScheduleOptions) {
  const entries = await schedules.list();
  return { schedules: entries.map((entry) => toScheduleView(entry, now())) };
}

async function show(options: ScheduleOptions, { params }: OneSchedule, reply: FastifyReply) {
  const found = await options.schedules.find(params.name);
  return found === undefined ? reply.refuse(notThere) : reply.send(await view(options, found));
}

async function put(options: ScheduleOptions, request: OneSchedule, reply: FastifyReply) {
  const { schedules, logger } = options;
  const { name } = request.params;
  const problem = scheduleNameProblem(name);
  if (problem !== undefined) {
    throw invalidParameter(`name ${problem}.`);
  }
  const checked = checkSchedule(withoutReadOnly(request.body), callerOf(request), toContext(options));
  if (checked.kind === 'refused') {
    return reply.refuse(checked);
  }
  const { settings, template } = checked;
  const changed = await schedules.change(name, (there, context) =>
    withApiSettings(there?.entry, { settings, template }, context),
  );
  if (changed === undefined) {
    throw new RefusalError(notThere);
  }
  logger.info({ schedule: name, function: settings.function, created: changed.created }, 'schedule stored');
  return reply.code(changed.created ? 201 : 200).send(await view(options, changed));
}

async function remove(options: ScheduleOptions, { params }: OneSchedule, reply: FastifyReply) {
  const { name } = params;
  const left = await options.schedules.change(name, (there, context) => {
    if (there === undefined) {
      throw new RefusalError(notThere);
    }
    const { entry } = there;
    const file = entry.source === 'api' ? fileOf(entry) : undefined;
    return file && withoutApiSettings(entry, demand(checkCalls(file, anyone, toContext(options))), context);
  });
  options.logger.info(
    { schedule: name },
    left === undefined ? 'schedule removed' : 'schedule has the settings of the functions file',
  );
  return reply.code(204).send();
}

async function setPaused(options: ScheduleOptions, { params }: OneSchedule, reply: FastifyReply, paused: boolean) {
  const { name } = params;
  const changed = await options.schedules.change(name, (there, context) => {
    if (there === undefined) {
      throw new RefusalError(notThere);
    }
    return withPause(there.entry, paused, context);
  });
  options.logger.info({ schedule: name }, paused ? 'schedule paused' : 'schedule resumed');
  return changed === undefined ? reply.refuse(notThere) : reply.send(await view(options, changed));
}

/** A call besides the moments: they go on as they would have. */
async function trigger(options: ScheduleOptions, { params }: OneSchedule, reply: FastifyReply) {
  const { schedules, queue, lookup, startTime, onStored, logger, now } = options;
  const found = await schedules.find(params.name);
  if (found === undefined) {
    return reply.refuse(notThere);
  }
  const { entry } = found;
  const target = lookup(entry.settings.function);
  if (target === undefined) {
    return reply.refuse(refusal('unknown_function', 'The function of the schedule is not registered.'));
  }
  const at = now();
  const call = toScheduledCall({ ...entry, at }, { id: createCallId(), target, startTime: startTime(), lookup });
  const result = await queue.accept(call, { unique: false });
  if (result.kind !== 'stored') {
    const refused = toQueueRefusal(result.kind === 'refused' ? result.reason : 'conflict');
    return reply.refuse({ ...refused, ...(result.kind === 'refused' && { reason: result.detail }) });
  }
  onStored(call);
  const { id: callId, function: name } = call;
  logger.info({ schedule: entry.name, callId, function: name }, 'schedule triggered');
  await remember(options, call, at);
  return reply
    .code(202)
    .header('Location', `/async-function/${callId}`)
    .send({ callId, function: name, status: 'queued' });
}

/** The call is stored, whether it is remembered as one of the schedule or not. */
async function remember({ runs, logger }: ScheduleOptions, call: Call, at: number): Promise<void> {
  const { schedule, function: name, queue } = call;
  if (schedule !== undefined) {
    await runs.addRun(schedule.name, { ...identityOf(call), at, function: name, queue }).catch((err: unknown) => {
      logger.warn({ err, schedule: schedule.name }, 'the call of a schedule could not be remembered');
    });
  }
}

async function view({ runs, now }: ScheduleOptions, { entry }: KnownSchedule) {
  const { runs: last } = await runs.readRuns(entry.name);
  return { ...toScheduleView(entry, now()), last: toRunViews(last) };
}

function toContext(options: ScheduleOptions): AcceptContext {
  return { ...options, createCallId };
}

function demand<T extends { readonly kind: 'checked' }>(checked: T | Parameters<FastifyReply['refuse']>[0]): T {
  if (checked.kind === 'refused') {
    throw new RefusalError(checked);
  }
  return checked;
}

/** Removes what a response contains and a request cannot set, so that clients can write back what they read. */
function withoutReadOnly(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return body;
  }
  return Object.fromEntries(Object.entries(body).filter(([key]) => !readOnly.has(key)));
}

const readOnly: ReadonlySet<string> = new Set(['name', 'source', 'createdAt', 'next', 'last']);
const notThere = refusal('unknown_schedule', 'No schedule has this name.');
