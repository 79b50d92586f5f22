import { readFile, rename, writeFile } from 'node:fs/promises';
import { createSigningSecret, parseSigningSecret } from '@asyncfn/queue-core/webhook';
import { ConfigError } from '@asyncfn/service-kit';

/** A secret that is kept in a file. */
export interface KeptSecret {
  readonly path: string;
  /** `whsec_...` */
  readonly text: string;
  readonly key: Uint8Array;
}

/**
 * The secret in a file. It is created if the file does not exist, so that receivers that know it still work after a
 * restart. Only its owner may read the file.
 * @throws {ConfigError} if the file holds something else.
 */
export async function keepSigningSecret(path: string): Promise<KeptSecret> {
  const text = (await readIfThere(path)) ?? (await writeSecret(path));
  const key = parseSigningSecret(text);
  if (key === undefined) {
    throw new ConfigError([{ name: path, problem: 'holds no signing secret; delete it, and a new one is made' }]);
  }
  return { path, text, key };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

/** Written to another file first, so that a crash leaves no half of a secret. */
async function writeSecret(path: string): Promise<string> {
  const text = createSigningSecret();
  await writeFile(`${path}.new`, `${text}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return text;
}
