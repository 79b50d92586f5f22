import { ConfigError, isLoopback, SettingsFile } from '@asyncfn/service-kit';
import { parseTokensFile, type Token } from '@asyncfn/tokens';
import type { GatewayConfig } from '../config.ts';

export type TokensFile = SettingsFile<readonly Token[]>;

type AuthConfig = Pick<GatewayConfig, 'auth' | 'authTokensFile' | 'host'>;

/**
 * Reads `AUTH_TOKENS_FILE`.
 *
 * @returns undefined for an open gateway: only if that was configured, or if only this machine can reach it
 * @throws ConfigError if the file is invalid, or if it is not certain that the gateway should be open
 */
export async function loadTokens({ auth, authTokensFile, host }: AuthConfig): Promise<TokensFile | undefined> {
  if (authTokensFile !== undefined) {
    if (auth === 'none') {
      throw new ConfigError([{ name: 'AUTH', problem: '"none" contradicts AUTH_TOKENS_FILE; set only one of them' }]);
    }
    return SettingsFile.load({
      path: authTokensFile,
      env: 'AUTH_TOKENS_FILE',
      parse: (text, path) => parseTokensFile(text, path),
    });
  }
  if (auth === 'tokens') {
    throw missing('is not set, but AUTH=tokens requires it');
  }
  if (auth === undefined && !isLoopback(host)) {
    throw missing(
      `is not set, and HOST ${host} is open to other machines; set it, listen on 127.0.0.1, or set AUTH=none to let anyone in`,
    );
  }
  return undefined;
}

function missing(problem: string): ConfigError {
  return new ConfigError([{ name: 'AUTH_TOKENS_FILE', problem }]);
}
