import { loadFunctionsFile } from '@asyncfn/live-functions';
import { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import type { FileDefinition } from '@asyncfn/queue-core/functions';
import type { ProcessContext, SettingsFile } from '@asyncfn/service-kit';
import { type GatewayConfig, wholeBodyBytes } from '../config.ts';
import { callProblemsOf } from '../schedules/index.ts';
import { checkSecretFile } from '../webhooks/index.ts';
import type { fileSettings } from './file-settings.ts';

/**
 * Reads `FUNCTIONS_FILE`, the calls of its schedules and the secrets of its webhooks; undefined if it is not set.
 *
 * @throws ConfigError that lists every problem of the file with its line
 */
export async function loadFile(
  config: Pick<GatewayConfig, keyof typeof fileSettings>,
  context: Pick<ProcessContext, 'env'>,
): Promise<SettingsFile<FileDefinition> | undefined> {
  const maxBodyBytes = wholeBodyBytes(config);
  const callProblems = callProblemsOf(new CallbackPolicy(config));
  return await loadFunctionsFile(config, context, { maxBodyBytes, checkSecretFile, callProblems });
}
