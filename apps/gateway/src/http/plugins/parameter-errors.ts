import type { FastifyInstance, FastifySchemaValidationError } from 'fastify';
import { invalidParameter } from '../../problem.ts';

/** Has the routes of a plugin answer 400 `invalid_parameter` to what their schemas do not allow. */
export function nameInvalidParameters(app: FastifyInstance): void {
  app.setSchemaErrorFormatter(([error]) => invalidParameter(describe(error)));
}

/** Names the parameter by the schema's name for it, and never what was sent (P9). */
function describe(error: FastifySchemaValidationError | undefined): string {
  if (error?.keyword === 'additionalProperties') {
    return 'The request has an unknown parameter. The parameters of this path are described at /docs.';
  }
  const name = error?.instancePath.slice(1) || 'The body';
  const allowed = error?.params['allowedValues'];
  const problem = Array.isArray(allowed) ? `must be one of ${allowed.join(', ')}` : (error?.message ?? 'is not valid');
  return `${name} ${problem}.`;
}
