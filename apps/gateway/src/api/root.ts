import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { prefersToJson } from '../http/index.ts';
import { jsonResponse } from './json-response.ts';

export interface RootOptions {
  /** Of the gateway. */
  readonly version: string;
  /** Whether browsers can be sent to the console. */
  readonly hasConsole: boolean;
}

const consolePath = '/console';
const links = {
  calls: '/async-function/NAME',
  batches: '/async-batch',
  docs: '/docs',
  openapi: '/openapi.json',
  health: '/healthz',
};

const schema = {
  summary: 'What is here',
  description: 'A browser (`Accept: text/html`) is sent to the console, if the gateway serves one.',
  tags: ['operations'],
  response: {
    200: jsonResponse(
      'The gateway.',
      Type.Object({
        name: Type.String(),
        version: Type.String({ description: 'Of the gateway.' }),
        links: Type.Record(Type.String(), Type.String(), { description: 'Paths.' }),
      }),
      { name: 'asyncfn', version: '1.0.0', links: { ...links, console: consolePath } },
    ),
    302: { description: 'The console.', headers: { Location: { schema: Type.String({ examples: [consolePath] }) } } },
  },
};

/** `GET /`. Open, because it says nothing that `/openapi.json` does not say. */
export const rootRoutes: FastifyPluginCallbackTypebox<RootOptions> = (app, { version, hasConsole }, done) => {
  const about = { name: 'asyncfn', version, links: { ...links, ...(hasConsole && { console: consolePath }) } };
  app.get('/', { config: { scope: 'open' }, schema }, ({ headers }, reply) => {
    reply.header('Vary', 'Accept');
    // A browser asks for a page, and programs do not.
    return hasConsole && prefersToJson(headers.accept, 'text/html') ? reply.redirect(consolePath) : reply.send(about);
  });
  done();
};
