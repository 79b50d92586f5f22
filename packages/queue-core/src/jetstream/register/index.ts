// The register of functions that all processes share.

export { type ChangeDecision, type RegisterChange, resumedByGatewayMs, SharedRegister } from './shared-register.ts';
