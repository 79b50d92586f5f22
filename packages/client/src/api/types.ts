import type { paths } from './schema.ts';

type Method = 'get' | 'put' | 'post' | 'delete';

/** The JSON of a successful answer. */
type Answer<Path extends keyof paths, M extends Method, Status extends number> = paths[Path][M] extends {
  responses: Record<Status, { content: { 'application/json': infer Body } }>;
}
  ? Body
  : never;

/** The state of a call, as `GET /async-function/CALL-ID` returns it. Times are RFC 3339, `durationMs` is in milliseconds. */
export type CallState = Answer<'/async-function/{callId}', 'get', 200>;

/** `scheduled`, `queued`, `running`, `retrying`; or ended: `succeeded`, `failed`, `cancelled`, `expired`. */
export type CallStatus = CallState['status'];

/** The answer to an accepted call. */
export type AcceptedCall = Answer<'/async-function/{name}', 'post', 202>;

/** An attempt of a call. Its `verdict` is `succeeded`, `retry`, `failed`, `cancelled`, `lost` or `running`. */
export type Attempt = Answer<'/async-function/{callId}/attempts', 'get', 200>['attempts'][number];
