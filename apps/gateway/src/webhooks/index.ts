// Webhooks from partners: `/webhook/NAME` verifies who has signed a delivery, and stores it as a call.

export { partners } from './limits/index.ts';
export { checkSecretFile, openSecrets, type WebhookSecrets } from './secrets/index.ts';
export { type WebhookOptions, webhookRoutes } from './webhooks.ts';
