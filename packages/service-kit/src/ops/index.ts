// The operations server: health, readiness, metrics.

export { answerHalfClosed } from './half-closed-clients.ts';
export { createOpsServer, createRegistry, type OpsServer, type Readiness } from './ops-server.ts';
