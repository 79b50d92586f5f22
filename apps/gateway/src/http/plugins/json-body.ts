import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Refusal, RefusalError, refusal } from '../../problem.ts';
import type { BodyBudget } from '../body-budget.ts';
import { checkDeclaredLength, checkExpectation, expectsContinue, IncomingBody } from '../incoming-body.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The budget for the bodies of all requests. */
    readonly bodyBudget: BodyBudget;
  }
  interface FastifyRequest {
    /** The body that is being read, or was. */
    incoming: IncomingBody | null;
  }
}

/** Largest body of most requests that are not calls, in bytes. */
const usualBytes = 16 * 1024;

/** Methods without a body for fastify. */
const withoutBody: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Makes the routes of a plugin read bodies as JSON if their schema describes one, whatever their content type: `curl
 * -d` declares a form. A missing body counts as `{}`. Other routes discard their bodies as they arrive, because a
 * connection that is not read does not show that its client has left.
 * @param maxBytes largest body. Default 16 KiB
 */
export function readJsonBodies(app: FastifyInstance, maxBytes: number = usualBytes): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', ({ incoming }, payload, done) => {
    incoming?.read(payload, maxBytes, (result) =>
      result.kind === 'body' ? done(null, result.bytes) : done(new RefusalError(result)),
    );
  });
  app.addHook('onRequest', (request, reply, next) => {
    const refused =
      checkDeclaredLength(request.raw, maxBytes) ?? checkExpectation(request.raw) ?? admit(request, reply);
    if (refused !== undefined) {
      reply.refuse(refused);
      return;
    }
    if (withoutBody.has(request.method)) {
      request.raw.resume();
    }
    next();
  });
  app.addHook('preValidation', (request, reply, next) => {
    const refused = parseBody(request);
    if (refused !== undefined) {
      reply.refuse(refused);
      return;
    }
    next();
  });
}

/** The body counts towards the budget until the response is closed. */
function admit(request: FastifyRequest, reply: FastifyReply): Refusal | undefined {
  const { raw, server } = request;
  const body = IncomingBody.admit(raw, server.bodyBudget);
  if (body.kind === 'refused') {
    return body;
  }
  request.incoming = body;
  reply.raw.once('close', () => body.release());
  // Makes fastify, which refuses types that it cannot parse, hand the body to the parser of `*`.
  raw.headers['content-type'] = undefined;
  if (expectsContinue(raw)) {
    reply.raw.writeContinue();
  }
  return undefined;
}

function parseBody(request: FastifyRequest): Refusal | undefined {
  if (request.routeOptions.schema?.body === undefined) {
    return undefined;
  }
  const text = request.body instanceof Uint8Array ? Buffer.from(request.body).toString('utf8') : '';
  try {
    request.body = text.trim() === '' ? {} : JSON.parse(text);
    return undefined;
  } catch {
    return refusal('invalid_parameter', 'The body is not valid JSON.');
  }
}
