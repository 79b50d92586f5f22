import type { FunctionsFile } from '@asyncfn/queue-core/functions';
import type { SharedRegister } from '@asyncfn/queue-core/jetstream';
import { type Component, every, type Logger, watchFile } from '@asyncfn/service-kit';

export interface FollowOptions {
  readonly file: FunctionsFile | undefined;
  readonly shared: Pick<SharedRegister, 'takeFile' | 'check'>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** How often the register is checked for missed changes. */
const checkMs = 5_000;

/** The functions of a process as a component, which keeps them up to date: see {@link followFunctions}. */
export function followedFunctions(options: Omit<FollowOptions, 'signal'>): Component {
  return { name: 'functions', start: (signal) => void followFunctions({ ...options, signal }) };
}

/**
 * Keeps the functions of a process up to date until the signal aborts: applies every new content of its file, and
 * follows the register that all processes share. Logs a bad content and keeps the last good one.
 */
export async function followFunctions({ file, shared, logger, signal }: FollowOptions): Promise<void> {
  const onError = (err: unknown): void => logger.warn({ err }, 'the register of functions could not be checked yet');
  const checked = every(checkMs, () => shared.check(), { signal, onError });
  if (file === undefined) {
    logger.info('no FUNCTIONS_FILE is set: the functions are those that the API has registered');
  } else {
    await followFile(file, shared, { logger, signal });
  }
  await checked;
}

async function followFile(
  file: FunctionsFile,
  shared: FollowOptions['shared'],
  { logger, signal }: Pick<FollowOptions, 'logger' | 'signal'>,
): Promise<void> {
  const take = (text: string): void => {
    const outcome = file.take(text);
    if (outcome.kind === 'reloaded') {
      shared.takeFile(file.definition);
      logger.info({ path: file.path, functions: outcome.functions }, 'functions file reloaded');
    } else {
      const fields = { path: file.path, problems: outcome.problems };
      logger.error(fields, 'functions file is wrong, the last good one stays in force');
    }
  };
  await watchFile(file.path, take, { signal, logger, known: file.text });
}
