import type { FileDefinition } from '@asyncfn/queue-core/functions';
import type { SharedRegister } from '@asyncfn/queue-core/jetstream';
import { type Component, every, type Logger, type SettingsFile } from '@asyncfn/service-kit';
import { DiscoveredFunctions } from './discovery/index.ts';

export interface FollowOptions {
  readonly file: Pick<SettingsFile<FileDefinition>, 'path' | 'current' | 'follow'> | undefined;
  readonly shared: Pick<SharedRegister, 'takeFile' | 'check' | 'list' | 'complete'>;
  readonly logger: Logger;
}

/** How often the register is checked for missed changes. */
const checkMs = 5_000;

/**
 * Keeps the functions of a process up to date: follows its file, the OpenFaaS that the file may name, and the register that
 * all processes share.
 */
export function followedFunctions({ file, shared, logger }: FollowOptions): Component {
  const onError = (err: unknown): void => logger.warn({ err }, 'the register of functions could not be checked yet');
  return {
    name: 'functions',
    start(signal) {
      if (file === undefined) {
        logger.info('no FUNCTIONS_FILE is set: the functions are those that the API has registered');
      }
      if (file !== undefined) {
        const discovered = new DiscoveredFunctions({ file, shared, logger });
        void file.follow(logger, signal, (definition) => discovered.takeFile(definition));
        void discovered.run(signal);
      }
      void every(checkMs, () => shared.check(), { signal, onError });
    },
  };
}
