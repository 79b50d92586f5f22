import { randomBytes } from 'node:crypto';

const prefix = 'whsec_';
const minBytes = 24;
const maxBytes = 64;

/**
 * The key in a secret as Standard Webhooks writes it: `whsec_` and base64 of 24 to 64 bytes. Undefined for anything
 * else, also for base64 that is not canonical: receivers' libraries would refuse it.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function parseSigningSecret(text: string): Uint8Array | undefined {
  if (!text.startsWith(prefix)) {
    return undefined;
  }
  const key = Buffer.from(text.slice(prefix.length), 'base64');
  const fits = key.length >= minBytes && key.length <= maxBytes;
  return fits && formatSigningSecret(key) === text ? key : undefined;
}

/** The text that {@link parseSigningSecret} reads as this key. */
export function formatSigningSecret(key: Uint8Array): string {
  return prefix + Buffer.from(key).toString('base64');
}

/** A new random secret, of 32 bytes: as long as what HMAC-SHA256 puts out. */
export function createSigningSecret(): string {
  return formatSigningSecret(randomBytes(32));
}

/** How a setting holds a secret, for the configuration of a process. */
export const signingSecretType = {
  expected: `a signing secret, ${prefix} and base64 of ${minBytes} to ${maxBytes} bytes`,
  // Not a working secret: someone would paste it.
  example: `${prefix}<base64>`,
  parse: parseSigningSecret,
  format: formatSigningSecret,
} as const;
