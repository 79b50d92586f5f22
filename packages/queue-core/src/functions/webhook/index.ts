// The `webhook` settings of a function: who may send it webhooks, and how they are verified and answered.

export { toWebhookConfig, type WebhookConfig } from './webhook-config.ts';
export { secretFilesIn, type WebhookChecks, webhookExpectations, webhookProblems } from './webhook-problems.ts';
export { WebhookSettings } from './webhook-settings.ts';
