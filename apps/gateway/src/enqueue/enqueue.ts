import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { enqueuePattern } from '../http/index.ts';
import { refusal } from '../problem.ts';
import { EnqueueHandler, type EnqueueOptions } from './enqueue-handler.ts';
import { enqueueSchema } from './enqueue-schema.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers `POST /async-function/:name` in fastify's place. */
    readonly enqueue: (request: IncomingMessage, response: ServerResponse) => void;
  }
}

type EnqueueRouteOptions = Omit<EnqueueOptions, 'gatekeeper' | 'isClosing' | 'bodyBudget'>;

/** What comes this way all the same spells the path with escapes, and so names another one. */
const noSuchPath = refusal('not_found', 'Nothing exists at this path.');

/**
 * `POST /async-function/:name`. The route is there to be described, and to be known to the router where the method is
 * another; its requests are answered by `app.enqueue`, before fastify sees them.
 */
export const enqueueRoutes = fp(registerEnqueue, {
  name: 'enqueue',
  dependencies: ['authentication', 'graceful-close'],
});

function registerEnqueue(app: FastifyInstance, options: EnqueueRouteOptions, done: () => void): void {
  const { gatekeeper, bodyBudget, isClosing } = app;
  const handler = new EnqueueHandler({ ...options, gatekeeper, bodyBudget, isClosing });
  app.decorate('enqueue', (request, response) => handler.handle(request, response));
  app.post(
    enqueuePattern,
    {
      config: { scope: 'invoke' },
      schema: enqueueSchema,
      // The schema describes; what it describes is checked by draftCall, on the raw bytes.
      validatorCompiler: () => () => true,
      onRequest: (_, reply) => void reply.refuse(noSuchPath),
    },
    () => undefined,
  );
  done();
}
