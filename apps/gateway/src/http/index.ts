// HTTP code that both paths share. Enqueues are handled on node:http (`enqueue/`), because fastify costs more than
// the rest of an enqueue (ADR 27); every other route is fastify's (`app.ts`, `http/plugins/`). The target of a request
// decides which one serves it (`routing.ts`), and the rules for heads and bodies are the same for both.

export { prefersToJson, qualityOf } from './accepted.ts';
export { BodyBudget, type BodyShare, roomForLarge } from './body-budget.ts';
export {
  createClientErrorHandler,
  createTunnelHandler,
  linger,
  probeSilentClient,
  RequestSequencer,
} from './connections/index.ts';
export { checkForm } from './http-rules.ts';
export {
  type BodyResult,
  checkDeclaredLength,
  checkExpectation,
  declaredLength,
  disconnected,
  expectsContinue,
  IncomingBody,
  noRoom,
  tooLarge,
  tooSlow,
} from './incoming-body.ts';
export {
  connectionLimit,
  createFrameworkErrorHandler,
  gracefulClose,
  httpRules,
  keepFromCaches,
  nameInvalidParameters,
  readJsonBodies,
  refusals,
  requestMetrics,
  requireBroker,
} from './plugins/index.ts';
export { logRefusal } from './refusal-log.ts';
export { enqueuePattern, unknownRoutes, webhookPattern } from './routing.ts';
export { compileSchemasOnFirstUse } from './schema-compilers.ts';
export { isEnqueue, isWebhook, parseTarget, parseWebhookTarget, type Target, toRoutedUrl } from './target.ts';
