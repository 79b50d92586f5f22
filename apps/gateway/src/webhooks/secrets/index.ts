// The secrets of webhooks: which files they may be in, and what is in them.

export { checkSecretFile } from './check-secret-file.ts';
export { openSecrets } from './open-secrets.ts';
export type { WebhookSecrets } from './webhook-secrets.ts';
