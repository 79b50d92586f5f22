import { type Caller, hasScope, scopes } from '@asyncfn/tokens';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { jsonResponse } from '../api/index.ts';
import { callerOf } from '../auth/index.ts';
import { keepFromCaches } from '../http/index.ts';

export interface TokenOptions {
  /** Callers need a token. */
  readonly needsToken: boolean;
  /** Version of the gateway. */
  readonly version: string;
}

const TokenView = Type.Object({
  name: Type.Optional(Type.String({ description: 'Name of the token; missing at a gateway without tokens.' })),
  scopes: Type.Array(Type.String(), { description: 'What it may be used for: `invoke`, `read` and `admin`.' }),
  needsToken: Type.Boolean({
    description: 'Whether this gateway needs tokens. Without them everyone may do everything.',
  }),
  version: Type.String({ description: 'Version of the gateway.' }),
});

const schema = {
  summary: 'Show what the token may do',
  description: 'For clients that offer only what the caller is allowed, such as the console.',
  tags: ['operations'],
  response: {
    200: jsonResponse('The token of the request.', TokenView, {
      name: 'partner-x',
      scopes: ['invoke', 'read'],
      needsToken: true,
      version: '0.3.0',
    }),
  },
};

/** `GET /system/token`: who the caller is. */
export const tokenRoutes: FastifyPluginCallbackTypebox<TokenOptions> = (app, { needsToken, version }, done) => {
  keepFromCaches(app);
  app.get('/system/token', { config: { scope: 'caller' }, schema }, (request) => ({
    ...toTokenView(callerOf(request)),
    needsToken,
    version,
  }));
  done();
};

function toTokenView(caller: Caller) {
  return { name: caller.name, scopes: scopes.filter((scope) => hasScope(caller, scope)) };
}
