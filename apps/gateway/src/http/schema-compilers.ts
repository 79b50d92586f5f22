import AjvCompiler from '@fastify/ajv-compiler';
import SerializerSelector from '@fastify/fast-json-stringify-compiler';
import type { FastifyInstance, FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify';

/** A misspelt parameter is an error instead of being ignored. */
const ajvOptions = { customOptions: { removeAdditional: false } };

/**
 * Sets fastify's own compilers, except that each schema is compiled when a request first needs it: compiling all of them
 * took a quarter of a gateway's start. Fastify leaves the names in a schema of headers as they are for compilers that it is
 * given, so such a schema describes headers, and does not refuse any.
 */
export function compileSchemasOnFirstUse(app: FastifyInstance): void {
  // It takes a route's schema, though its type says otherwise.
  const validators = once(() => AjvCompiler()({}, ajvOptions) as FastifySchemaCompiler<unknown>);
  const serializers = once(() => SerializerSelector()({}, {}) as FastifySerializerCompiler<unknown>);
  app.setValidatorCompiler((route) => {
    const compiled = once(() => validators()(route));
    const validate: ReturnType<FastifySchemaCompiler<unknown>> = (data) => {
      const result = compiled()(data);
      validate.errors = compiled().errors ?? null;
      return result;
    };
    return validate;
  });
  app.setSerializerCompiler((route) => {
    const compiled = once(() => serializers()(route));
    return (document) => compiled()(document);
  });
}

function once<T extends object>(create: () => T): () => T {
  let created: T | undefined;
  return () => (created ??= create());
}
