import type { Logger } from '@asyncfn/service-kit';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { GatewayMetrics } from '../../metrics.ts';
import { problemHeaders, problemMediaType, problems, type Refusal, renderProblem, toRefusal } from '../../problem.ts';
import { linger } from '../connections/index.ts';
import { logRefusal } from '../refusal-log.ts';

declare module 'fastify' {
  interface FastifyReply {
    /** Answers with a problem, and logs and counts it. The only way in which its routes say no. */
    refuse(refusal: Refusal): FastifyReply;
  }
  interface FastifyRequest {
    /** The function that the request is for, for the log; null if that is not known. */
    functionName: string | null;
  }
}

interface RefusalsOptions {
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
}

/** Everything that goes wrong is answered in one way: thrown errors, refusals, and what fastify itself finds. */
export const refusals = fp(registerRefusals, { name: 'refusals' });

function registerRefusals(app: FastifyInstance, { logger, metrics }: RefusalsOptions, done: () => void): void {
  app.decorateRequest('functionName', null);
  app.decorateReply('refuse', function refuse(this: FastifyReply, refusal: Refusal) {
    logRefusal(logger, refusal, {
      function: this.request.functionName ?? undefined,
      token: this.request.caller?.name,
      traceId: undefined,
      elapsedMs: this.elapsedTime,
    });
    if (refusal.code === 'client_disconnected') {
      // No answer will ever be out, and so none counted.
      const path = this.request.routeOptions.url ?? 'other';
      metrics.requestEnded(this.request.method, path, problems[refusal.code].status, this.elapsedTime / 1000);
    }
    return sendProblem(this, refusal);
  });
  app.setErrorHandler((error, _, reply) => reply.refuse(toRefusal(error)));
  done();
}

/**
 * Answers requests that fastify gives up on before any plugin sees them, such as a path that cannot be decoded: there
 * the reply has no `refuse`.
 */
export function createFrameworkErrorHandler({ logger, metrics }: RefusalsOptions) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const refused = toRefusal(error);
    const { status } = problems[refused.code];
    logger.info({ code: refused.code, reason: error.code }, 'request refused');
    metrics.requestEnded(request.method, 'other', status, 0);
    sendProblem(reply, refused);
  };
}

function sendProblem(reply: FastifyReply, refusal: Refusal): FastifyReply {
  if (linger(reply.request.raw) && reply.hasHeader('connection')) {
    // Fastify's, after a body that its parser did not read to the end.
    reply.removeHeader('connection');
  }
  reply.code(problems[refusal.code].status).type(problemMediaType);
  reply.headers(problemHeaders(refusal));
  // As bytes, because fastify would add a charset, which the media type does not have (RFC 8259, 11).
  return reply.send(Buffer.from(renderProblem(refusal)));
}
