import type { IncomingMessage } from 'node:http';
import { CallbackVerifier, type SignatureVerdict } from '@asyncfn/queue-core/webhook';
import type { Logger, OwnHosts } from '@asyncfn/service-kit';
import { answerText, callIdOf, type HttpExchange, type HttpHandler, HttpProblem } from '../http-listener.ts';
import { integerParameter } from '../parameters.ts';
import { toPrintable } from '../printable.ts';
import { readBodyHead } from './body-head.ts';
import { type CallbackFacts, ReceivedCallbacks } from './received-callbacks.ts';
import { renderHtml, renderJson, renderText } from './views.ts';

const KEPT_CALLBACKS = 100;
/** The rest of a larger body is only counted. */
const HEAD_BYTES = 64 * 1024;
const MAX_HEADER_CHARS = 200;
const VIEW_PATHS = new Set(['/', '/callbacks']);

export interface InboxOptions {
  logger: Logger;
  /** Keys that callbacks may be signed with. */
  signingSecrets: readonly Uint8Array[];
  /** The host names under which the inbox shows its callbacks. */
  ownHosts: OwnHosts;
  /** Where the console is; undefined if the gateway serves none. Default: none. */
  consoleUrl?: () => string | undefined;
  /** Epoch milliseconds. Default `Date.now`. */
  now?: () => number;
}

/**
 * Accepts callbacks by `POST` at `/` and anywhere below `/callbacks`, answers 204 or the status in `?status=`, and
 * shows the last 100 at `GET /`: as text, for `Accept: text/html` as a page, for `Accept: application/json` as JSON. It
 * accepts callbacks with any signature, and shows whether the signature is valid.
 */
export function createInbox(options: InboxOptions): HttpHandler {
  const { logger, signingSecrets, ownHosts, consoleUrl, now = Date.now } = options;
  const inbox = new ReceivedCallbacks(KEPT_CALLBACKS);

  async function receive(exchange: HttpExchange): Promise<void> {
    const answered = integerParameter(exchange.url.searchParams, 'status', { min: 200, max: 599, default: 204 });
    const receivedAt = now();
    const verifier = new CallbackVerifier(signingSecrets, exchange.request.headers, receivedAt);
    const { bytes, head } = await readBodyHead(exchange.request, HEAD_BYTES, (chunk) => verifier.update(chunk));
    const callback = {
      ...describe(exchange.request),
      receivedAt: new Date(receivedAt).toISOString(),
      bytes,
      head,
      answered,
      signature: describeVerdict(verifier.verdict()),
    };
    inbox.add(callback);
    const { callId, functionName, functionStatus, signature } = callback;
    logger.info(
      { callId, function: functionName, status: functionStatus, bytes, answered, signature },
      'callback received',
    );
    exchange.response.writeHead(answered).end();
  }

  return async (exchange) => {
    const { request, response, url } = exchange;
    if (request.method === 'POST' && isCallbackPath(url.pathname)) {
      return await receive(exchange);
    }
    if (request.method === 'GET' && VIEW_PATHS.has(url.pathname)) {
      // A web page whose host name resolves to this address has the same origin for its browser, which would show it
      // every callback.
      if (!ownHosts.include(request.headers.host, request.socket.localAddress)) {
        throw new HttpProblem(403, 'Host names another server: call this one as localhost, or set ALLOWED_HOSTS');
      }
      return show(exchange, inbox, consoleUrl?.());
    }
    if (request.method === 'GET' && url.pathname === '/healthz') {
      return answerText(response, 200, 'OK');
    }
    throw new HttpProblem(404, 'POST callbacks to /callbacks/..., GET / to see them');
  };
}

function isCallbackPath(path: string): boolean {
  return path === '/' || path === '/callbacks' || path.startsWith('/callbacks/');
}

function describeVerdict(verdict: SignatureVerdict): string {
  return verdict.kind === 'invalid' ? `invalid (${verdict.reason})` : verdict.kind;
}

/** Nothing of it can harm a terminal, in the log or in the inbox. */
function describe(request: IncomingMessage): CallbackFacts {
  const one = (name: string) => {
    const value = request.headers[name];
    return value === undefined ? undefined : toPrintable(value.toString(), MAX_HEADER_CHARS);
  };
  return {
    target: toPrintable(request.url ?? '/', MAX_HEADER_CHARS),
    callId: callIdOf(request),
    functionName: one('x-function-name'),
    functionStatus: one('x-function-status'),
    durationSeconds: one('x-duration-seconds'),
    retries: one('x-retry'),
    contentType: one('content-type'),
  };
}

function show({ request, response }: HttpExchange, inbox: ReceivedCallbacks, consoleUrl: string | undefined): void {
  const accept = request.headers.accept ?? '';
  response.setHeader('cache-control', 'no-store');
  response.setHeader('vary', 'accept');
  if (accept.includes('text/html')) {
    response.setHeader('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(renderHtml(inbox, consoleUrl));
  } else if (accept.includes('application/json')) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(renderJson(inbox));
  } else {
    answerText(response, 200, renderText(inbox));
  }
}
