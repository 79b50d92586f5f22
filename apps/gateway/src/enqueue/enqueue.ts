import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { enqueuePattern } from '../http/index.ts';
import { refusal } from '../problem.ts';
import { EnqueueHandler, type EnqueueOptions } from './enqueue-handler.ts';
import { enqueueSchema } from './enqueue-schema.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Handles `POST /async-function/:name` instead of fastify. */
    readonly enqueue: (request: IncomingMessage, response: ServerResponse) => void;
  }
}

type EnqueueRouteOptions = Omit<EnqueueOptions, 'gatekeeper' | 'isClosing' | 'bodyBudget'>;

/** Requests that still arrive here have an escaped path, which is another path. */
const noSuchPath = refusal('not_found', 'Nothing exists at this path.');

/**
 * `POST /async-function/:name`. The route exists for the API's description, and for the router to know it if the method
 * is another one. `app.enqueue` handles its requests before fastify sees them.
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
      // The schema only describes: draftCall checks the raw bytes.
      validatorCompiler: () => () => true,
      onRequest: (_, reply) => void reply.refuse(noSuchPath),
    },
    () => undefined,
  );
  done();
}
