// Which key signs the callbacks of a caller.

export { CallbackKeys } from './callback-keys.ts';
export { loadTokenSecrets, type TokenKeys } from './token-secrets.ts';
