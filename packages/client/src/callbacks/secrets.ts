import { OptionError } from '../errors/index.ts';

/** A key of Web Crypto, whose type not every platform has under one name. */
export type SecretKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const prefix = 'whsec_';
const minBytes = 24;
const maxBytes = 64;

/**
 * The keys that secrets stand for. No error quotes a secret.
 *
 * @throws OptionError if there is none, or one that is no secret
 */
export async function importSecrets(secrets: string | readonly string[]): Promise<SecretKey[]> {
  const list = typeof secrets === 'string' ? [secrets] : secrets;
  if (!Array.isArray(list) || list.length === 0) {
    throw new OptionError('secrets: there is none, so that no callback can be verified');
  }
  return await Promise.all(list.map(importSecret));
}

async function importSecret(secret: unknown, index: number): Promise<SecretKey> {
  const bytes =
    typeof secret === 'string' ? decode(secret.startsWith(prefix) ? secret.slice(prefix.length) : secret) : undefined;
  if (bytes === undefined || bytes.length < minBytes || bytes.length > maxBytes) {
    throw new OptionError(`secrets.${index}: is not ${prefix} and base64 of ${minBytes} to ${maxBytes} bytes`);
  }
  return await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}

function decode(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
