// Callbacks: whether they are genuine, and what they say of their call.

export type { VerifiedCallback } from './verified-callback.ts';
export {
  type CallbackHeaders,
  type IncomingCallback,
  type VerifyCallbackOptions,
  verifyCallback,
} from './verify-callback.ts';
