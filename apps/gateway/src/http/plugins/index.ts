// Plugins that all fastify routes use.

export { requireBroker } from './broker-required.ts';
export { connectionLimit } from './connection-limit.ts';
export { gracefulClose } from './graceful-close.ts';
export { httpRules } from './http-rules.ts';
export { readJsonBodies } from './json-body.ts';
export { keepFromCaches } from './keep-from-caches.ts';
export { nameInvalidParameters } from './parameter-errors.ts';
export { createFrameworkErrorHandler, refusals } from './refusals.ts';
export { requestMetrics } from './request-metrics.ts';
