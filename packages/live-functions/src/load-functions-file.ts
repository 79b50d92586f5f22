import { type FileDefinition, parseFunctionsFile } from '@asyncfn/queue-core/functions';
import { type ConfigOf, type ProcessContext, SettingsFile } from '@asyncfn/service-kit';
import type { functionsConfig } from './functions-config.ts';

/**
 * Reads `FUNCTIONS_FILE`, with its variables filled in from the environment; undefined if it is not set.
 * @throws ConfigError that lists every problem of the file with its line
 */
export async function loadFunctionsFile(
  { functionsFile: path, ...config }: ConfigOf<typeof functionsConfig>,
  { env }: Pick<ProcessContext, 'env'>,
): Promise<SettingsFile<FileDefinition> | undefined> {
  const context = { ...config, variables: (name: string) => env[name] };
  const parse = (text: string) => parseFunctionsFile(text, path ?? '', context);
  return path === undefined ? undefined : await SettingsFile.load({ path, env: 'FUNCTIONS_FILE', parse });
}
