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

/** The callback of a batch has none of the headers about a call, so its facts are empty. */
export const noCallFacts: CallFacts = { callId: '', functionName: '', functionStatus: '' };

/** The headers of a signed callback. */
export interface CallbackSignatureHeaders extends WebhookHeaders {
  readonly 'X-Callback-Signature': string;
}

/**
 * Signs a callback twice with every secret: like any webhook, and again with the facts about its call in its headers,
 * which Standard Webhooks leaves out. The second signature is made and verified like the first one, with {@link
 * factsId} instead of the id, so a receiver needs no other library.
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
