import type { CallbackTask } from '@asyncfn/queue-core';
import type { Logger } from '@asyncfn/service-kit';
import { OncePerHour } from '../../once-per-hour.ts';
import type { TokenKeys } from './token-secrets.ts';

export interface CallbackKeysOptions {
  /** Secrets for calls whose token has none of its own, newest first; empty: their callbacks are not signed. */
  readonly common: readonly Uint8Array[];
  /** The currently known tokens; undefined if no tokens file is set. */
  readonly tokens: () => TokenKeys | undefined;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/**
 * Decides which secrets sign a callback: those of its call's token, as the tokens file has them at the time of the
 * delivery, or else the common ones. A callback whose token is unknown here stays unsigned if that token had secrets of
 * its own when the call was accepted: the receivers of other callers trust the common ones.
 */
export class CallbackKeys {
  readonly #options: CallbackKeysOptions;
  readonly #warned: OncePerHour;

  constructor(options: CallbackKeysOptions) {
    this.#options = options;
    this.#warned = new OncePerHour(options.now);
  }

  /** Newest first; empty for a callback that is not signed. */
  of(task: Pick<CallbackTask, 'callId' | 'function' | 'submitter' | 'ownSecret'>): readonly Uint8Array[] {
    const { common, tokens } = this.#options;
    const { submitter, ownSecret } = task;
    if (submitter === undefined) {
      return common;
    }
    const known = tokens();
    if (known?.has(submitter) === true) {
      return known.get(submitter) ?? common;
    }
    if (ownSecret !== true) {
      return common;
    }
    this.#warn(task, submitter, known !== undefined);
    return [];
  }

  #warn(task: Pick<CallbackTask, 'callId' | 'function'>, token: string, hasFile: boolean): void {
    if (this.#warned.isDue(token)) {
      this.#options.logger.error(
        { callId: task.callId, function: task.function, token },
        hasFile ? 'callback is not signed: its token is not in AUTH_TOKENS_FILE' : unset,
      );
    }
  }
}

const unset =
  'callback is not signed: its token has a secret of its own, and AUTH_TOKENS_FILE of this worker is not set';
