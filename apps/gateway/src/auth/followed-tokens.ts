import { type Component, isLoopback, type Logger } from '@asyncfn/service-kit';
import type { TokensFile } from './load-tokens.ts';

/** Takes over every change of the tokens file; a gateway without one says so if other machines reach it. */
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
