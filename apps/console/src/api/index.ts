// The gateway's API, typed by its OpenAPI description, and the token of this tab.

export { answerOf, api, read } from './client.ts';
export { ApiProblem } from './problem.ts';
export { request } from './request.ts';
export type { paths } from './schema.d.ts';
export { forgetToken, keepToken, token } from './session.ts';
