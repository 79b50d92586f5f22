import { parseSigningSecret, signingSecretType } from '@asyncfn/queue-core/webhook';

export type SecretFile =
  | { readonly kind: 'keys'; readonly keys: readonly Uint8Array[] }
  /** Quotes nothing of the content. */
  | { readonly kind: 'refused'; readonly problem: string };

/** As many as a token may have hashes: enough for any rotation. */
const maxSecrets = 5;

/** Parses a file of signing secrets: one or more, newest first, separated by line ends, blanks or commas. */
export function parseSecretFile(text: string): SecretFile {
  const secrets = text.split(/[\s,]+/).filter((part) => part !== '');
  if (secrets.length === 0) {
    return refused(`holds no secret; write ${signingSecretType.expected}`);
  }
  if (secrets.length > maxSecrets) {
    return refused(`holds ${secrets.length} secrets, and at most ${maxSecrets} sign; remove the oldest`);
  }
  const keys = secrets.map(parseSigningSecret);
  const wrong = keys.indexOf(undefined);
  return wrong < 0
    ? { kind: 'keys', keys: keys.filter((key) => key !== undefined) }
    : refused(`holds as number ${wrong + 1} something other than ${signingSecretType.expected}`);
}

function refused(problem: string): SecretFile {
  return { kind: 'refused', problem };
}
