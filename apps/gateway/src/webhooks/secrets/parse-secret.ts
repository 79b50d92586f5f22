export type ParsedSecret =
  | { readonly kind: 'key'; readonly key: Buffer }
  /** Quotes nothing of the content. */
  | { readonly kind: 'refused'; readonly problem: string };

/** More is another kind of file. */
const maxLength = 1024;

/**
 * The key in a file with one secret. Line ends after it do not count. Senders use the text itself as the key, except
 * for Standard Webhooks, where it is base64 with `whsec_` in front.
 *
 * @param verify the scheme that it is for
 */
export function parseSecret(text: string, verify: string): ParsedSecret {
  const secret = text.replace(/[\r\n]+$/, '');
  if (secret === '') {
    return refused('holds no secret');
  }
  if (secret.length > maxLength || /[\r\n]/.test(secret)) {
    return refused(`must hold one secret, on one line of at most ${maxLength} characters`);
  }
  if (secret.includes('\ufffd')) {
    return refused('is not text in UTF-8');
  }
  if (verify !== 'standard') {
    return { kind: 'key', key: Buffer.from(secret, 'utf8') };
  }
  const encoded = secret.replace(/^whsec_/, '');
  const key = Buffer.from(encoded, 'base64');
  return key.length > 0 && key.toString('base64') === encoded
    ? { kind: 'key', key }
    : refused('must hold a secret of Standard Webhooks: whsec_ and base64');
}

function refused(problem: string): ParsedSecret {
  return { kind: 'refused', problem };
}
