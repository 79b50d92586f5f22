import { type Hmac, timingSafeEqual } from 'node:crypto';
import { beginSignature, toSignature } from './sign-webhook.ts';

/** The result of checking the signature of a webhook. */
export type SignatureVerdict =
  | { readonly kind: 'valid' }
  /** It has no signature. */
  | { readonly kind: 'none' }
  /** `reason` is a text of ours, free of anything that was sent. */
  | { readonly kind: 'invalid'; readonly reason: string };

/** Headers by their lower-case name, as Node gives them. */
export type WebhookHeaderValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/** How far the clocks of sender and receiver may be apart; the value that the libraries of Standard Webhooks use. */
const toleranceSeconds = 5 * 60;

/**
 * Checks the signature of a webhook (Standard Webhooks v1) while its body comes in: nothing of the body is kept, and
 * any bytes can be checked, not only text.
 */
export class WebhookVerifier {
  /** One for each secret that the sender may have used; undefined if the headers have decided already. */
  readonly #signatures: readonly Hmac[];
  readonly #candidates: readonly Buffer[];
  readonly #early: SignatureVerdict | undefined;

  /**
   * @param secrets keys that are trusted
   * @param headers of the request, by their lower-case names
   * @param now Unix time in milliseconds
   */
  constructor(secrets: readonly Uint8Array[], headers: WebhookHeaderValues, now: number) {
    const one = (name: string): string => String(headers[name] ?? '');
    const [id, timestamp, signature] = [one('webhook-id'), one('webhook-timestamp'), one('webhook-signature')];
    const candidates = signature.split(' ').filter((each) => each.startsWith('v1,'));
    this.#early = decideEarly({ id, timestamp, signature, candidates, secrets, now });
    this.#signatures = this.#early === undefined ? secrets.map((each) => beginSignature(each, id, timestamp)) : [];
    this.#candidates = candidates.map((each) => Buffer.from(each));
  }

  /** The next piece of the body. */
  update(chunk: Uint8Array): void {
    for (const signature of this.#signatures) {
      signature.update(chunk);
    }
  }

  /** Call it once, after the whole body. */
  verdict(): SignatureVerdict {
    if (this.#early !== undefined) {
      return this.#early;
    }
    const expected = this.#signatures.map((each) => Buffer.from(toSignature(each)));
    const matches = expected.some((one) => this.#candidates.some((candidate) => isSame(one, candidate)));
    return matches ? { kind: 'valid' } : invalid('no signature matches');
  }
}

interface Claims {
  readonly id: string;
  readonly timestamp: string;
  readonly signature: string;
  readonly candidates: readonly string[];
  readonly secrets: readonly Uint8Array[];
  readonly now: number;
}

/** The verdict that the headers alone lead to, if any. */
function decideEarly({ id, timestamp, signature, candidates, secrets, now }: Claims): SignatureVerdict | undefined {
  if (signature === '') {
    return { kind: 'none' };
  }
  if (id === '') {
    return invalid('webhook-id is missing');
  }
  if (!/^\d{1,12}$/.test(timestamp)) {
    return invalid('webhook-timestamp is not in Unix seconds');
  }
  const ageSeconds = Math.floor(now / 1000) - Number(timestamp);
  if (ageSeconds > toleranceSeconds) {
    return invalid('signed more than 5 minutes ago');
  }
  if (ageSeconds < -toleranceSeconds) {
    return invalid('signed more than 5 minutes in the future');
  }
  if (candidates.length === 0) {
    return invalid('no v1 signature');
  }
  return secrets.length === 0 ? invalid('no secret to verify it with') : undefined;
}

function invalid(reason: string): SignatureVerdict {
  return { kind: 'invalid', reason };
}

/** Takes the same time for every mismatch, so that an attacker cannot find a signature step by step. */
function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
