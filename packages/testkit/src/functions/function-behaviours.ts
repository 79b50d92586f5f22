import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { RequestHandler } from '../servers/index.ts';

/** Answers 200 with the body and the content type it was sent. */
export const echo: RequestHandler = (request, response) => {
  const contentType = request.headers['content-type'];
  if (contentType !== undefined) {
    response.setHeader('content-type', contentType);
  }
  response.end(request.body);
};

/** Answers 200 with the SHA-256 of the body in hex. */
export const hash: RequestHandler = (request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end(createHash('sha256').update(request.body).digest('hex'));
};

/** Answers 200 after `ms` milliseconds; stops waiting when the client goes away. */
export function sleep(ms: number): RequestHandler {
  return async (request, response) => {
    await delay(ms, undefined, { signal: request.signal });
    response.writeHead(200).end();
  };
}

export interface StatusOptions {
  /** How many requests for each call id get this answer before 200 follows. Default: all. */
  times?: number;
  /** Value of a `Retry-After` header on those answers. */
  retryAfter?: string | number;
  /** Further headers on those answers. */
  headers?: Record<string, string>;
  /** Body of those answers. Default: empty. */
  body?: string | Buffer;
}

/** Answers with `code`, if `times` is given only so many times per call id and with 200 from then on. */
export function status(code: number, options: StatusOptions = {}): RequestHandler {
  const { times = Number.POSITIVE_INFINITY, retryAfter, headers = {}, body = '' } = options;
  const seen = new Map<string, number>();
  return (request, response) => {
    const key = request.callId ?? '';
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    if (count > times) {
      return void response.writeHead(200).end();
    }
    if (retryAfter !== undefined) {
      response.setHeader('retry-after', String(retryAfter));
    }
    response.writeHead(code, headers).end(body);
  };
}

export interface Gate {
  /** Holds every request until the gate is open, then answers like `behaviour`. */
  handler: RequestHandler;
  /** Lets all waiting and all later requests through. */
  open(): void;
}

/** Holds calls in flight for as long as a test needs. */
export function gate(behaviour: RequestHandler = echo): Gate {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    open: () => open(),
    handler: async (request, response) => {
      await opened;
      if (!request.signal.aborted) {
        await behaviour(request, response);
      }
    },
  };
}
