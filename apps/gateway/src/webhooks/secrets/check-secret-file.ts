import type { FurtherFiles } from '@asyncfn/service-kit';
import { parseSecret } from './parse-secret.ts';

/**
 * The problem of a secret file that the functions file names; undefined if it can be used.
 * @param verify the scheme that it is for
 */
export function checkSecretFile(file: string, verify: string, further: FurtherFiles): string | undefined {
  const read = further(file);
  if (read.kind === 'unreadable') {
    return `cannot be read: ${read.why}`;
  }
  const parsed = parseSecret(read.text, verify);
  return parsed.kind === 'refused' ? parsed.problem : undefined;
}
