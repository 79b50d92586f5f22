import { parseArgs } from 'node:util';

export const usage = `usage: create-token-main.js NAME --scope SCOPE [--scope SCOPE] [--function PATTERN]
                            [--rate 100/1s] [--expires 2030-01-31T00:00:00Z]
                            [--callback-secret-file PATH] [--from-stdin]

Creates a token and prints it with its entry for AUTH_TOKENS_FILE. SCOPE is invoke, read or admin.
--from-stdin reads an existing secret, such as the password of an OpenFaaS gateway.
`;

/** The parsed command line. */
export interface TokenRequest {
  readonly name: string;
  readonly fromStdin: boolean;
  /** The settings of the entry but its hash. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Undefined if the command line does not match `usage`. */
export function parseTokenRequest(args: readonly string[]): TokenRequest | undefined {
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    const [name, ...more] = positionals;
    const { scope, function: functions, rate: rateLimit, expires } = values;
    const callbackSecretFile = values['callback-secret-file'];
    return name === undefined || scope === undefined || more.length > 0
      ? undefined
      : {
          name,
          fromStdin: values['from-stdin'],
          settings: { scopes: scope, functions, rateLimit, expires, callbackSecretFile },
        };
  } catch {
    return undefined;
  }
}

const options = {
  scope: { type: 'string', multiple: true },
  function: { type: 'string', multiple: true },
  rate: { type: 'string' },
  expires: { type: 'string' },
  'callback-secret-file': { type: 'string' },
  'from-stdin': { type: 'boolean', default: false },
} as const;
