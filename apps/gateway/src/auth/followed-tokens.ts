import { type Component, isLoopback, type Logger } from '@asyncfn/service-kit';
import type { TokensFile } from './load-tokens.ts';

/** Applies every change of the tokens file. Logs a warning if the gateway has none and other machines can reach it. */
export function followedTokens(file: TokensFile | undefined, host: string, logger: Logger): Component {
  return {
    name: 'tokens',
    start(signal) {
      if (file !== undefined) {
        void file.follow(logger, signal);
      } else if (!isLoopback(host)) {
        logger.warn({ host }, 'AUTH=none: anyone who reaches the API may do everything');
      }
    },
  };
}
