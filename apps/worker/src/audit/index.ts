// Follows accepted calls to their ends, so that a loss is noticed (P2).

export { createAudit } from './create-audit.ts';
