import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../auth/index.ts';
import { checkDeclaredLength, checkExpectation, expectsContinue, keepFromCaches, linger } from '../http/index.ts';
import { acceptBatch, toAnswer } from './accept-batch.ts';
import type { BatchOptions } from './batch-options.ts';
import { acceptSchema } from './batch-schemas.ts';
import { readSender } from './batch-sender.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The media type of a batch, without parameters. */
    batchType: string;
  }
}

/** `/async-batch`: many calls with one request. */
export const batchRoutes: FastifyPluginCallbackTypebox<BatchOptions> = (app, options, done) => {
  app.decorateRequest('batchType', '');
  keepFromCaches(app);
  app.removeAllContentTypeParsers();
  // The handler reads the body itself, as it comes.
  app.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
  app.post(
    '/async-batch',
    {
      schema: acceptSchema,
      config: { scope: 'invoke' },
      // The schema only describes: the items are checked one by one.
      validatorCompiler: () => () => true,
      onRequest: (request, reply, next) => prepare(options, request, reply, next),
    },
    async (request, reply) => {
      await accept(options, request, reply);
      return reply;
    },
  );
  done();
};

/** Everything that can be checked before the body. */
function prepare(options: BatchOptions, request: FastifyRequest, reply: FastifyReply, next: () => void): void {
  const { raw } = request;
  const refused = checkDeclaredLength(raw, options.limits.maxBytes) ?? checkExpectation(raw);
  if (refused !== undefined) {
    reply.refuse(refused);
    return;
  }
  request.batchType = (raw.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  // Makes fastify, which refuses types that it cannot parse, hand the body to the parser of `*`.
  raw.headers['content-type'] = undefined;
  next();
}

async function accept(options: BatchOptions, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { raw, batchType, server } = request;
  const sender = readSender(raw, callerOf(request), options.now());
  if (sender.kind === 'refused') {
    return reply.refuse(sender);
  }
  if (expectsContinue(raw)) {
    reply.raw.writeContinue();
  }
  const batch = { sender, mediaType: batchType, bodyBudget: server.bodyBudget };
  const result = await acceptBatch(options, batch);
  if (result.kind === 'refused') {
    return reply.refuse(result);
  }
  const { headers, body } = toAnswer(result);
  if (linger(raw)) {
    raw.resume(); // lines beyond the limit
  }
  return reply.code(202).headers(headers).send(body);
}
