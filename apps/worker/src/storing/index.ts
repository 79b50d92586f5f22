// The writes that settling and callbacks share: insisting on one, and burying what failed.

export {
  isTooLarge,
  mayPass,
  type PublishRetryOptions,
  publishUntilDecided,
  publishWithRetry,
} from './publish-with-retry.ts';
export type { OnSettleStep } from './settle-step.ts';
export { type Original, storeDeadLetter } from './store-dead-letter.ts';
