import { createHmac, type Hmac } from 'node:crypto';

/** The content that a signature covers. */
export interface SignedWebhook {
  /** Stays the same over all deliveries of the same message. */
  readonly id: string;
  /** Unix time of this delivery. */
  readonly timestampSeconds: number;
  /** As it is sent, byte for byte. */
  readonly body: Uint8Array;
}

/** The headers of a signed webhook. */
export interface WebhookHeaders {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/**
 * Signs a webhook with every secret, in their order, so that secrets rotate without a gap: a receiver is content with
 * any signature that it can check (Standard Webhooks v1).
 *
 * What is signed are bytes. Receivers have to check them before anything decodes them: the `standardwebhooks` package
 * for JavaScript turns a body into a string first, so with it only a body that is valid UTF-8 can be verified.
 *
 * @param secrets keys, newest first; at least one
 * @throws TypeError for an id with a dot, which could move the border between id, time and body, and for a time that
 * is not whole seconds
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signWebhook(
  secrets: readonly Uint8Array[],
  { id, timestampSeconds, body }: SignedWebhook,
): WebhookHeaders {
  const timestamp = toTimestamp(id, timestampSeconds);
  const signatures = secrets.map((secret) => toSignature(beginSignature(secret, id, timestamp).update(body)));
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

/** The time as it is signed. Throws as `signWebhook` does. */
export function toTimestamp(id: string, timestampSeconds: number): string {
  if (id.includes('.') || !Number.isSafeInteger(timestampSeconds)) {
    throw new TypeError('the id of a webhook must have no dot, and its time must be whole seconds');
  }
  return String(timestampSeconds);
}

/** A signature that waits for the body, which may come in pieces. */
export function beginSignature(secret: Uint8Array, id: string, timestamp: string): Hmac {
  return createHmac('sha256', secret).update(`${id}.${timestamp}.`);
}

/** Ends a signature that has had the whole body. */
export function toSignature(begun: Hmac): string {
  return `v1,${begun.digest('base64')}`;
}
