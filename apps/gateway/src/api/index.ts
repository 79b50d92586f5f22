// The OpenAPI description, and the response schemas that all resources share.

export { apiDescription } from './api-description.ts';
export { functionParameter, labelParameter, queueParameter, timeParameters } from './filter-parameters.ts';
export { healthRoutes } from './health.ts';
export { jsonResponse } from './json-response.ts';
export { crowdedResponse, problemResponse, retryAfterHeader } from './problem-response.ts';
export { rootRoutes } from './root.ts';
