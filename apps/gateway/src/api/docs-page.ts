import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import fp from 'fastify-plugin';

/**
 * Serves `/docs`, by a fastify of its own that is loaded when the page is first opened: it took an eighth of a gateway's
 * start. A path that the page does not have is not found by the app either.
 */
export function serveDocs(app: FastifyInstance): void {
  let page: Promise<FastifyInstance> | undefined;
  const serve = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    page ??= createPage(app.swagger.bind(app));
    const { method, url, headers } = request;
    const answer = await (await page).inject({ method: method === 'HEAD' ? 'HEAD' : 'GET', url, headers });
    if (answer.statusCode === 404) {
      return reply.callNotFound();
    }
    const { connection: _, ...described } = answer.headers;
    return reply.code(answer.statusCode).headers(described).send(answer.rawPayload);
  };
  for (const url of ['/docs', '/docs/*']) {
    // Open, because it contains nothing that is not in the source.
    app.get(url, { config: { scope: 'open' }, schema: { hide: true } }, serve);
  }
}

async function createPage(describe: FastifyInstance['swagger']): Promise<FastifyInstance> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui');
  const page = fastify({ logger: false });
  // The page asks for a plugin of this name, which the app has.
  await page.register(fp(async (own) => void own.decorate('swagger', describe), { name: '@fastify/swagger' }));
  await page.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    // The gateway speaks plain HTTP: browsers would request the page's parts, and send its calls, over HTTPS.
    transformStaticCSP: (header) => header.replace(' upgrade-insecure-requests;', ''),
  });
  return page;
}
