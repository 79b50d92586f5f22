// Requests to the gateway: their URLs, time limits and repetitions, and what their answers mean.

export { checkMs, type Duration, toDuration } from './durations.ts';
export { getJson, jsonBody, sendJson } from './json-request.ts';
export { eachEntry } from './paging.ts';
export { bytesOf, jsonOf, nothingOf, parseJson } from './read-answer.ts';
export { type QueryValues, toPath, toQuery } from './request-url.ts';
export type { RetryOptions } from './retry-policy.ts';
export { type RequestOptions, type Token, Transport, type TransportOptions } from './transport.ts';
