import type { paths } from './schema.ts';

type Method = 'get' | 'put' | 'post' | 'delete';

/** The JSON of a successful answer. */
type Answer<Path extends keyof paths, M extends Method, Status extends number> = paths[Path][M] extends {
  responses: Record<Status, { content: { 'application/json': infer Body } }>;
}
  ? Body
  : never;

/** The JSON of a request. */
type Body<Path extends keyof paths, M extends Method> = paths[Path][M] extends {
  requestBody: { content: { 'application/json': infer Content } };
}
  ? Content
  : never;

/** The state of a call, as `GET /async-function/CALL-ID` returns it. Times are RFC 3339, `durationMs` is in milliseconds. */
export type CallState = Answer<'/async-function/{callId}', 'get', 200>;

/** `scheduled`, `queued`, `running`, `retrying`; or ended: `succeeded`, `failed`, `cancelled`, `expired`. */
export type CallStatus = CallState['status'];

/** The answer to an accepted call. */
export type AcceptedCall = Answer<'/async-function/{name}', 'post', 202>;

/** An attempt of a call. Its `verdict` is `succeeded`, `retry`, `failed`, `cancelled`, `lost` or `running`. */
export type Attempt = Answer<'/async-function/{callId}/attempts', 'get', 200>['attempts'][number];

/** Which calls a search finds: all filters must match. `from` and `to` are RFC 3339, `limit` is 1 to 1,000 for a page. */
export type CallFilter = NonNullable<paths['/system/calls']['get']['parameters']['query']>;

/** A page of calls. The next one has `cursor`; `complete` is false if the search was cut short. */
export type CallPage = Answer<'/system/calls', 'get', 200>;

/** Which calls are cancelled; at least one filter. `limit` is 1 to 10,000, which is the default. */
export type CancelFilter = Body<'/system/calls/cancel', 'post'>;

/** How many calls were cancelled; `complete` is false if selected calls may be left: send the same again. */
export type Cancelled = Answer<'/system/calls/cancel', 'post', 202>;

/** The answer to an accepted batch. */
export type AcceptedBatch = Answer<'/async-batch', 'post', 202>;

/** The state of a batch: its counts, and when it ended. */
export type BatchState = Answer<'/async-batch/{batchId}', 'get', 200>;

/** A function as it is registered. */
export type RegisteredFunction = Answer<'/system/functions/{name}', 'get', 200>;

/** The settings of a function, as in a functions file. */
export type FunctionSettings = Body<'/system/functions/{name}', 'put'>;

/** What waits in a queue, and how durable its calls are. */
export type QueueState = Answer<'/system/queues', 'get', 200>['queues'][number];

/** A queue with its functions. */
export type QueueDetail = Answer<'/system/queues/{queue}', 'get', 200>;

/** How many calls were cancelled. */
export type Purged = Answer<'/system/queues/{queue}/purge', 'post', 200>;

/** A flow key: how many of its calls wait and have their turn, and its limits. */
export type Flow = Answer<'/system/flows/{function}/{key}', 'get', 200>;

/** Which flow keys are listed; `limit` is that of a page. */
export type FlowFilter = NonNullable<paths['/system/flows']['get']['parameters']['query']>;

/** A page of flow keys. */
export type FlowPage = Answer<'/system/flows', 'get', 200>;

/** The limits that a flow key is pinned to. */
export type FlowLimits = Body<'/system/flows/{function}/{key}', 'put'>;

/** A schedule as it is listed: its settings and its next five moments. */
export type Schedule = Answer<'/system/schedules', 'get', 200>['schedules'][number];

/** A schedule with its last calls. */
export type ScheduleDetail = Answer<'/system/schedules/{name}', 'get', 200>;

/** The settings of a schedule; exactly one of `cron` and `every`. */
export type ScheduleSettings = Body<'/system/schedules/{name}', 'put'>;

/** What scalers ask for. */
export type Scaling = Answer<'/system/scaling/{name}', 'get', 200>;

/** Which dead letters are listed; `limit` is that of a page. */
export type DeadLetterFilter = NonNullable<paths['/system/dead-letters']['get']['parameters']['query']>;

/** A call or callback that failed for good. */
export type DeadLetter = Answer<'/system/dead-letters', 'get', 200>['deadLetters'][number];

/** A page of dead letters, oldest first. */
export type DeadLetterPage = Answer<'/system/dead-letters', 'get', 200>;

/** One dead letter with all that is known of it, but its body. */
export type DeadLetterDetail = Answer<'/system/dead-letters/{callId}', 'get', 200>;

/** Which dead letters are replayed. */
export type ReplayFilter = Body<'/system/dead-letters/replay', 'post'>;

/** How many were replayed; `cursor` leads to those that are left. */
export type Replayed = Answer<'/system/dead-letters/replay', 'post', 200>;

/** The processes that are connected, and what workers have learnt about functions. */
export type Processes = Answer<'/system/processes', 'get', 200>;

/** Name and scopes of the client's token. */
export type TokenInfo = Answer<'/system/token', 'get', 200>;

/** Name and version of the gateway. */
export type GatewayInfo = Answer<'/', 'get', 200>;
