import { FunctionsFile, FunctionsFileError } from '@asyncfn/queue-core/functions';
import { ConfigError, type ConfigOf, type ProcessContext } from '@asyncfn/service-kit';
import type { functionsConfig } from './functions-config.ts';

/**
 * Reads `FUNCTIONS_FILE`, with its variables filled in from the environment; undefined if it is not set.
 * @throws ConfigError that lists every problem of the file with its line
 */
export async function loadFunctionsFile(
  { functionsFile: path, ...config }: ConfigOf<typeof functionsConfig>,
  { env }: Pick<ProcessContext, 'env'>,
): Promise<FunctionsFile | undefined> {
  if (path === undefined) {
    return undefined;
  }
  try {
    return await FunctionsFile.load(path, { ...config, variables: (name) => env[name] });
  } catch (error) {
    if (error instanceof FunctionsFileError) {
      const problems = error.problems.map((problem) => ({ name: 'FUNCTIONS_FILE', problem }));
      throw new ConfigError(problems, { cause: error });
    }
    throw error;
  }
}
