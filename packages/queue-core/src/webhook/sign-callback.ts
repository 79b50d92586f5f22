import type { Hmac } from 'node:crypto';
import { beginSignature, type SignedWebhook, toSignature, toTimestamp, type WebhookHeaders } from './sign-webhook.ts';

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
  const signer = new CallbackSigner(secrets, callback);
  signer.update(callback.body);
  return signer.headers();
}

/** Makes both signatures of a callback while its body is read, in two passes over it: the headers come before the body. */
export class CallbackSigner {
  readonly #id: string;
  readonly #timestamp: string;
  readonly #webhook: readonly Hmac[];
  readonly #facts: readonly Hmac[];

  /** Throws as `signCallback` does. */
  constructor(secrets: readonly Uint8Array[], callback: Omit<SignedCallback, 'body'>) {
    this.#id = callback.id ?? callback.callId;
    this.#timestamp = toTimestamp(this.#id, callback.timestampSeconds);
    const begin = (id: string): Hmac[] => secrets.map((secret) => beginSignature(secret, id, this.#timestamp));
    this.#webhook = begin(this.#id);
    this.#facts = begin(factsId(callback));
  }

  /** The next piece of the body. */
  update(piece: Uint8Array): void {
    for (const signature of [...this.#webhook, ...this.#facts]) {
      signature.update(piece);
    }
  }

  /** Call it once, after the whole body. */
  headers(): CallbackSignatureHeaders {
    return {
      'webhook-id': this.#id,
      'webhook-timestamp': this.#timestamp,
      'webhook-signature': this.#webhook.map(toSignature).join(' '),
      'X-Callback-Signature': this.#facts.map(toSignature).join(' '),
    };
  }
}

/** The id of the second signature. No header can carry a line feed, so neither signature can pass as the other one. */
export function factsId({ callId, functionName, functionStatus }: CallFacts): string {
  return `${callId}\n${functionName}\n${functionStatus}`;
}
