// The gateway's API, typed by its OpenAPI description, and the token of this tab.

export type { ApiPaths as paths } from '@asyncfn/client';
export { answerOf, api, read } from './client.ts';
export { ApiProblem } from './problem.ts';
export { request } from './request.ts';
export { forgetToken, keepToken, token } from './session.ts';
