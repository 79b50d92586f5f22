import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tenants } from '../plan.ts';

/** The operator, who pauses functions. */
export const operator = 'operator';

/** Tokens of the gateways: one for each tenant, and the operator's. */
export interface Access {
  /** For `AUTH_TOKENS_FILE`. */
  readonly tokensFile: string;
  /** The `Authorization` of one of them. Throws for a name without a token. */
  authorizationOf(name: string): string;
}

/** Makes tokens and writes the tokens file into a folder. */
export async function createAccess(folder: string): Promise<Access> {
  const secrets = new Map([...tenants, operator].map((name) => [name, randomBytes(32).toString('base64url')]));
  const tokens = [...secrets].map(([name, secret]) => {
    const hash = createHash('sha256').update(secret).digest('hex');
    return [name, { hash: `sha256:${hash}`, scopes: [name === operator ? 'admin' : 'invoke'] }];
  });
  const tokensFile = join(folder, 'tokens.json');
  await writeFile(tokensFile, JSON.stringify({ tokens: Object.fromEntries(tokens) }));
  return {
    tokensFile,
    authorizationOf(name) {
      const secret = secrets.get(name);
      if (secret === undefined) {
        throw new RangeError(`there is no token of ${name}`);
      }
      return `Bearer ${secret}`;
    },
  };
}
