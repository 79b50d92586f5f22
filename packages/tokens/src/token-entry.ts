import { formatHash, hashToken } from './token.ts';
import { parseTokens } from './tokens-document.ts';

export type TokenEntry =
  | { readonly kind: 'entry'; readonly text: string }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** A secret that a person chose could be guessed: a fast hash does not protect it. */
const minSecretLength = 32;

/**
 * The entry of a tokens file for a secret, to stand below `tokens:`.
 * @param name of the token
 * @param settings of the entry but its hash; those that are undefined are left out
 */
export function writeTokenEntry(name: string, settings: Readonly<Record<string, unknown>>, secret: string): TokenEntry {
  if (secret.length < minSecretLength) {
    return { kind: 'refused', problems: [`the secret has less than ${minSecretLength} characters`] };
  }
  const entry = { hash: formatHash(hashToken(secret)), ...settings };
  const parsed = parseTokens(JSON.stringify({ tokens: { [name]: entry } }));
  if (parsed.kind === 'refused') {
    return { kind: 'refused', problems: parsed.problems.map(({ path, problem }) => `${path} ${problem}`) };
  }
  const fields = Object.entries(entry).filter(([, value]) => value !== undefined);
  const lines = fields.map(([key, value]) => `    ${key}: ${JSON.stringify(value)}\n`);
  return { kind: 'entry', text: `  ${JSON.stringify(name)}:\n${lines.join('')}` };
}
