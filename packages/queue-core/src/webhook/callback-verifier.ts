import { factsId } from './sign-callback.ts';
import { type SignatureVerdict, type WebhookHeaderValues, WebhookVerifier } from './webhook-verifier.ts';

/**
 * Verifies both signatures of a callback while its body comes in. A callback without the second signature is verified
 * like any webhook: then the facts about the call in its headers are not signed.
 */
export class CallbackVerifier {
  readonly #webhook: WebhookVerifier;
  readonly #facts: WebhookVerifier | undefined;

  /** As for {@link WebhookVerifier}. */
  constructor(secrets: readonly Uint8Array[], headers: WebhookHeaderValues, now: number) {
    this.#webhook = new WebhookVerifier(secrets, headers, now);
    const signature = headers['x-callback-signature'];
    const ofFacts = { ...headers, 'webhook-id': factsIdOf(headers), 'webhook-signature': signature };
    this.#facts = signature === undefined ? undefined : new WebhookVerifier(secrets, ofFacts, now);
  }

  /** The next piece of the body. */
  update(chunk: Uint8Array): void {
    this.#webhook.update(chunk);
    this.#facts?.update(chunk);
  }

  /** Call it once, after the whole body. */
  verdict(): SignatureVerdict {
    const verdict = this.#webhook.verdict();
    const ofFacts = this.#facts?.verdict();
    return verdict.kind === 'valid' && ofFacts?.kind === 'invalid'
      ? { kind: 'invalid', reason: `X-Callback-Signature: ${ofFacts.reason}` }
      : verdict;
  }
}

function factsIdOf(headers: WebhookHeaderValues): string {
  const one = (name: string): string => String(headers[name] ?? '');
  return factsId({
    callId: one('x-call-id'),
    functionName: one('x-function-name'),
    functionStatus: one('x-function-status'),
  });
}
