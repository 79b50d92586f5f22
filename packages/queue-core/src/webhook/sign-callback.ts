import { type SignedWebhook, signAll, signWebhook, type WebhookHeaders } from './sign-webhook.ts';

/** The headers of a callback about its call. */
export interface CallFacts {
  readonly callId: string;
  /** `X-Function-Name` */
  readonly functionName: string;
  /** `X-Function-Status` */
  readonly functionStatus: string;
}

export interface SignedCallback extends Omit<SignedWebhook, 'id'>, CallFacts {
  /** `webhook-id`. Default: the id of the call. */
  readonly id?: string;
}

/** What the callback of a batch says of a call: it has none of these headers. */
export const noCallFacts: CallFacts = { callId: '', functionName: '', functionStatus: '' };

/** The headers of a signed callback. */
export interface CallbackSignatureHeaders extends WebhookHeaders {
  readonly 'X-Callback-Signature': string;
}

/**
 * Signs a callback twice with every secret: as any webhook, and once more with what its headers say of the call, which
 * Standard Webhooks leaves out. The second signature is made and checked as the first one, with {@link factsId} in the
 * place of the id, so a receiver needs nothing but the library that it has.
 *
 * @throws TypeError as `signWebhook` does
 */
export function signCallback(secrets: readonly Uint8Array[], callback: SignedCallback): CallbackSignatureHeaders {
  const { id = callback.callId, timestampSeconds, body } = callback;
  const webhook = signWebhook(secrets, { id, timestampSeconds, body });
  const signature = signAll(secrets, factsId(callback), webhook['webhook-timestamp'], body);
  return { ...webhook, 'X-Callback-Signature': signature };
}

/** The id of the second signature. No header can carry a line feed, so neither signature can pass as the other one. */
export function factsId({ callId, functionName, functionStatus }: CallFacts): string {
  return `${callId}\n${functionName}\n${functionStatus}`;
}
