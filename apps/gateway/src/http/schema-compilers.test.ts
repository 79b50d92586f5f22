import { type FastifyInstance, fastify } from 'fastify';
import { expect, test } from 'vitest';
import { compileSchemasOnFirstUse } from './schema-compilers.ts';

const count = { type: 'object', properties: { count: { type: 'integer' } }, additionalProperties: false };

function appWith(querystring: object, response: object): FastifyInstance {
  const app = fastify();
  compileSchemasOnFirstUse(app);
  app.get('/', { schema: { querystring, response: { 200: response } } }, ({ query }) => ({
    ...(query as object),
    more: 1,
  }));
  return app;
}

test('parameters are converted, wrong or unknown ones are refused, and answers are cut to their schema', async () => {
  await using app = appWith(count, count);
  for (const round of [1, 2]) {
    expect((await app.inject('/?count=7')).body, `round ${round}`).toBe('{"count":7}');
    expect((await app.inject('/?count=x')).json()).toMatchObject({ message: 'querystring/count must be integer' });
    expect((await app.inject('/?cuont=7')).json()).toMatchObject({ code: 'FST_ERR_VALIDATION', statusCode: 400 });
  }
});

test('a schema is compiled when a request needs it, and not before', async () => {
  await using app = appWith({ type: 'nonsense' }, count);
  await app.ready();
  expect((await app.inject('/')).statusCode).toBe(500);
});
