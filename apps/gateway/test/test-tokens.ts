import { createToken, formatHash, hashToken, parseTokens, type Token } from '@asyncfn/tokens';

/** A token and the ways to send it. */
export interface TestToken {
  readonly name: string;
  readonly secret: string;
  readonly bearer: string;
  readonly basic: string;
  /** Its entry in a tokens file. */
  readonly entry: object;
}

export function testToken(name: string, settings: object): TestToken {
  const secret = createToken();
  return {
    name,
    secret,
    bearer: `Bearer ${secret}`,
    basic: basic(name, secret),
    entry: { hash: formatHash(hashToken(secret)), ...settings },
  };
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** The text of a tokens file. */
export function tokensFileOf(tokens: readonly TestToken[]): string {
  return JSON.stringify({ tokens: Object.fromEntries(tokens.map(({ name, entry }) => [name, entry])) });
}

export function tokensOf(tokens: readonly TestToken[]): readonly Token[] {
  const parsed = parseTokens(tokensFileOf(tokens));
  if (parsed.kind === 'refused') {
    throw new Error(JSON.stringify(parsed.problems));
  }
  return parsed.tokens;
}
