// Who may call what: tokens, the scope that a route asks for, whose call it is.

export { type AuthenticationOptions, authentication, callerOf } from './authentication.ts';
export { decideCallAccess } from './call-access.ts';
export { type Asker, type CallLookup, type CallPlaces, findCall, identityOfState } from './find-call.ts';
export { followedTokens } from './followed-tokens.ts';
export { Gatekeeper } from './gatekeeper.ts';
export { loadTokens, type TokensFile } from './load-tokens.ts';
export { type RouteScope, requireScopes } from './route-scope.ts';
export { parseTokenRequest, usage } from './token-request.ts';
