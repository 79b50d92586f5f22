// Decides what follows an attempt: success, another attempt, or failure. Pure.

export { redirectOf } from './redirect.ts';
export { defaultRetryPolicy, parseRetryAfter, type RetryPolicy } from './retry-policy.ts';
export { type RetryReason, retryLimit, settle, type Verdict } from './settle.ts';
export { toRetryPolicy } from './to-retry-policy.ts';
