import type { FunctionNames } from '@asyncfn/queue-core/functions';
import type { EventListener } from '@asyncfn/queue-core/jetstream';
import { type Caller, coversFunction } from '@asyncfn/tokens';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../auth/index.ts';
import type { AcceptContext } from '../enqueue/index.ts';
import { keepFromCaches, probeSilentClient, requireBroker } from '../http/index.ts';
import { type Refusal, refusal } from '../problem.ts';
import { parseFunction, refuseUnknown } from '../search/index.ts';
import { heartbeatMs, sendEventsHead, WaitEnd, Waiters } from '../waiting/index.ts';
import { EventFeed, type EventSource } from './event-feed.ts';
import { EventOutput } from './event-output.ts';
import { eventsQuery, eventsSchema } from './event-schemas.ts';

export interface CallEventOptions extends Pick<AcceptContext, 'lookup'> {
  readonly subscribe: (listener: EventListener) => EventSource;
  readonly names: FunctionNames;
  /** All clients that wait, those for calls too. */
  readonly waiters: Pick<Waiters, 'admit'>;
  /** Aborts when the gateway stops: the streams end. */
  readonly stopping: AbortSignal;
}

interface RouteParts extends CallEventOptions {
  readonly feed: EventFeed;
  readonly streams: Waiters;
}

type QueryValues = Readonly<Record<string, unknown>>;
type EventsRequest = FastifyRequest<{ Querystring: QueryValues }>;

const known: ReadonlySet<string> = new Set(Object.keys(eventsQuery.properties));
/** Each event is written to each of them. */
const limits = { inAll: 100, perToken: 25 } as const;

/** `GET /system/events`: what happens to calls, as server-sent events. */
export const callEventRoutes: FastifyPluginCallbackTypebox<CallEventOptions> = (app, options, done) => {
  const feed = new EventFeed(options.subscribe, options.lookup);
  const parts: RouteParts = { ...options, feed, streams: new Waiters(limits, refusals) };
  requireBroker(app, feed);
  keepFromCaches(app);
  app.get<{ Querystring: QueryValues }>(
    '/system/events',
    // The scope is `read`: who may see the state of a call may see how it changes. The schema describes the parameters, and
    // the parsers check them.
    { schema: eventsSchema, config: { scope: 'read' }, validatorCompiler: () => (value) => ({ value }) },
    (request, reply) => follow(parts, request, reply),
  );
  done();
};

function follow(parts: RouteParts, request: EventsRequest, reply: FastifyReply) {
  const caller = callerOf(request);
  refuseUnknown(request.query, known);
  const name = parseFunction(request.query);
  if (name !== undefined && !coversFunction(caller, name, parts.names)) {
    return reply.refuse(forbidden);
  }
  if (request.method === 'HEAD') {
    return sendEventsHead(reply);
  }
  const places = admit(parts, caller);
  if ('kind' in places) {
    return reply.refuse(places);
  }
  const output = new EventOutput();
  const client = { output, hears: hearing(caller, name, parts.names) };
  if (request.headers['last-event-id'] !== undefined) {
    output.gap('not_kept');
  }
  void stream(parts, client, request).finally(() => {
    output.end();
    for (const place of places) {
      place[Symbol.dispose]();
    }
  });
  return reply.code(200).type('text/event-stream').send(output);
}

/** Until the client leaves, or the gateway stops. */
async function stream(
  { feed, stopping }: RouteParts,
  client: Parameters<EventFeed['add']>[0],
  { raw: { socket } }: EventsRequest,
): Promise<void> {
  using end = new WaitEnd({ socket, stopping });
  const { output } = client;
  const beat = (): void => output.beat();
  const heartbeat = setInterval(beat, heartbeatMs).unref();
  const stopProbes = probeSilentClient(socket, beat);
  try {
    await feed.add(client);
    output.beat(); // the first bytes say that events are heard from now on
    await aborted(end.signal);
  } finally {
    feed.remove(client);
    clearInterval(heartbeat);
    stopProbes();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    } else {
      signal.addEventListener('abort', () => resolve(), { once: true });
    }
  });
}

/** A place among the streams of events and one among all that wait. */
function admit({ streams, waiters }: RouteParts, caller: Caller): Disposable[] | Refusal {
  const stream = streams.admit(caller);
  if (stream.kind === 'refused') {
    return stream;
  }
  const waiter = waiters.admit(caller);
  if (waiter.kind === 'refused') {
    stream[Symbol.dispose]();
    return waiter;
  }
  return [stream, waiter];
}

/** Which functions the client hears of. */
function hearing(caller: Caller, name: string | undefined, names: FunctionNames): (of: string) => boolean {
  return name === undefined
    ? (of) => coversFunction(caller, of, names)
    : (of) => of === name || names.namesOf(name).includes(of);
}

const retryAfter = { 'Retry-After': '5' };
const refusals = {
  tooMany: refusal(
    'too_many_waiting',
    `This token follows events as often as it may (${limits.perToken} at once). Close another stream.`,
    retryAfter,
  ),
  full: refusal(
    'overloaded',
    `As many clients follow events as the gateway takes (${limits.inAll}). Try again later.`,
    retryAfter,
  ),
};
const forbidden = refusal('forbidden', 'The token does not allow this function.');
