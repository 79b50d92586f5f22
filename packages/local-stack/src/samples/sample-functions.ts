import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { answerText, callIdOf, type HttpExchange, type HttpHandler, HttpProblem } from '../http-listener.ts';
import { integerParameter } from '../parameters.ts';
import { CallCounters } from './call-counters.ts';
import { echo } from './echo.ts';

const MAX_TIMES = 1_000_000;
const DAY_MS = 86_400_000;
/** Seconds or an HTTP date (RFC 9110, section 10.2.3); the client judges whether it makes sense. */
const RETRY_AFTER = /^[\x20-\x7e]{1,64}$/;

/** The names, as in a functions file. */
export const SAMPLE_FUNCTIONS = ['echo', 'sleep', 'status', 'hash'] as const;

const USAGE = `Sample functions, for demos and tests. POST to:
/echo                                the request's headers and body back; ?headers=1: its headers as JSON
/sleep?ms=1000                       200 after that many milliseconds (default 1000)
/status?code=503&retryAfter=2&times=3  that status, with Retry-After if given; with times: only so often per
                                     X-Call-Id, then 200
/hash                                the SHA-256 of the body in hex`;

/** Routes `/echo`, `/sleep`, `/status` and `/hash` with any sub-path, `GET /` (a list) and `GET /healthz`. */
export function createSampleFunctions(): HttpHandler {
  const functions: Record<(typeof SAMPLE_FUNCTIONS)[number], HttpHandler> = {
    echo,
    sleep,
    status: createStatus(new CallCounters()),
    hash,
  };
  const routes = new Map<string, HttpHandler>(Object.entries(functions));
  return async (exchange) => {
    const { request, response, url } = exchange;
    if (url.pathname === '/' && request.method === 'GET') {
      return answerText(response, 200, USAGE);
    }
    if (url.pathname === '/healthz' && request.method === 'GET') {
      return answerText(response, 200, 'OK');
    }
    const run = routes.get(url.pathname.split('/')[1] ?? '');
    if (run === undefined) {
      throw new HttpProblem(404, `no such function; there are: ${SAMPLE_FUNCTIONS.join(', ')}`);
    }
    if (request.method !== 'POST') {
      throw new HttpProblem(405, 'functions are called with POST', { allow: 'POST' });
    }
    await run(exchange);
  };
}

async function sleep({ request, response, url, signal }: HttpExchange): Promise<void> {
  request.resume();
  const ms = integerParameter(url.searchParams, 'ms', { min: 0, max: DAY_MS, default: 1_000 });
  await wait(ms, undefined, { signal });
  answerText(response, 200, `slept ${ms} ms`);
}

async function hash({ request, response }: HttpExchange): Promise<void> {
  const digest = createHash('sha256');
  await pipeline(request, digest);
  response.writeHead(200, { 'content-type': 'text/plain' }).end(digest.digest('hex'));
}

function createStatus(counters: CallCounters): HttpHandler {
  return ({ request, response, url: { searchParams } }) => {
    request.resume();
    const code = integerParameter(searchParams, 'code', { min: 200, max: 599 });
    const retryAfter = searchParams.get('retryAfter');
    if (retryAfter !== null && !RETRY_AFTER.test(retryAfter)) {
      throw new HttpProblem(400, 'retryAfter has to be seconds or an HTTP date');
    }
    if (searchParams.has('times')) {
      const times = integerParameter(searchParams, 'times', { min: 0, max: MAX_TIMES });
      if (counters.next(requireCallId(request)) > times) {
        return answerText(response, 200, 'status 200');
      }
    }
    if (retryAfter !== null) {
      response.setHeader('retry-after', retryAfter);
    }
    answerText(response, code, `status ${code}`);
  };
}

function requireCallId(request: IncomingMessage): string {
  const callId = callIdOf(request);
  if (callId === undefined) {
    throw new HttpProblem(400, 'times counts per X-Call-Id, and there is no such header');
  }
  return callId;
}
