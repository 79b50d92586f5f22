import type { FastifySchema } from 'fastify';
import type { RouteScope } from '../auth/index.ts';
import { problemMediaType } from '../problem.ts';
import { problemResponse, retryAfterHeader } from './problem-response.ts';

/** The two ways to send a token, for the API's description. */
export const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A token of this gateway.' },
  basic: {
    type: 'http',
    scheme: 'basic',
    description: 'The name of a token as user and the token as password, as OpenFaaS clients send it.',
  },
} as const;

const challenge = {
  'WWW-Authenticate': { schema: { type: 'string' }, description: 'The supported schemes.' },
};

/** Adds the access rules of a route, and its refusals, to its description. */
export function describeAccess(schema: FastifySchema | undefined, scope: RouteScope | undefined, needsToken: boolean) {
  if (scope === undefined || scope === 'open') {
    return { ...schema };
  }
  const tokens = [{ bearer: [] }, { basic: [] }];
  const own = (schema?.response ?? {}) as Readonly<Record<number, ProblemResponse>>;
  const added = {
    401: problemResponse('The request has no valid token.', ['unauthorized'], challenge),
    403: problemResponse(
      `${scopeProblem(scope)} Or a page of another origin sent the request, or \`Host\` names another server.`,
      ['forbidden', 'foreign_host', 'foreign_origin'],
      challenge,
    ),
    429: problemResponse('The token has used up its rate limit.', ['rate_limited'], retryAfterHeader),
  };
  return {
    ...schema,
    security: needsToken ? tokens : [{}, ...tokens],
    response: {
      ...own,
      401: join(own[401], added[401]),
      403: join(own[403], added[403]),
      429: join(own[429], added[429]),
    },
  };
}

function scopeProblem(scope: RouteScope): string {
  return scope === 'caller'
    ? 'The token may only read the call.'
    : `The token lacks the scope \`${scope}\`, or does not allow the function.`;
}

type ProblemResponse = ReturnType<typeof problemResponse>;

/** Joins the descriptions of a status that occurs for two reasons. */
function join(own: ProblemResponse | undefined, added: ProblemResponse): ProblemResponse {
  if (own === undefined) {
    return added;
  }
  const { schema, examples } = added.content[problemMediaType];
  return {
    description: `${own.description} ${added.description}`,
    headers: { ...own.headers, ...added.headers },
    content: {
      [problemMediaType]: { schema, examples: { ...own.content[problemMediaType].examples, ...examples } },
    },
  };
}
