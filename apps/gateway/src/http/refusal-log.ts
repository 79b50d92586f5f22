import type { Logger } from '@asyncfn/service-kit';
import { problems, type Refusal } from '../problem.ts';

/** The known facts of a refused request. */
export interface RefusedRequest {
  readonly function: string | undefined;
  /** Name of the caller's token. */
  readonly token: string | undefined;
  readonly traceId: string | undefined;
  readonly elapsedMs: number;
}

/** Logs why a request was refused, at a level that depends on how much it concerns operators. */
export function logRefusal(logger: Logger, { code, reason, cause }: Refusal, request: RefusedRequest): void {
  const { elapsedMs, ...known } = request;
  const fields = { code, reason, ...known, durationMs: Math.round(elapsedMs) };
  if (code === 'internal_error') {
    logger.error({ ...fields, err: cause }, 'request failed');
  } else if (code === 'client_disconnected') {
    logger.debug(fields, 'client went away');
  } else if (problems[code].status >= 500) {
    logger.warn(cause === undefined ? fields : { ...fields, err: cause }, 'request refused');
  } else {
    logger.info(fields, 'request refused');
  }
}
