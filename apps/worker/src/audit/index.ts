// Follows accepted calls until they end, to notice a loss (P2).

export { createAudit } from './create-audit.ts';
