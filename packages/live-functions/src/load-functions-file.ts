import { FunctionsFile, FunctionsFileError } from '@asyncfn/queue-core';
import { ConfigError } from '@asyncfn/service-kit';

/**
 * Reads `FUNCTIONS_FILE`; undefined where none is set.
 * @throws ConfigError that names every problem of the file with its line
 */
export async function loadFunctionsFile(path: string | undefined): Promise<FunctionsFile | undefined> {
  if (path === undefined) {
    return undefined;
  }
  try {
    return await FunctionsFile.load(path);
  } catch (error) {
    if (error instanceof FunctionsFileError) {
      const problems = error.problems.map((problem) => ({ name: 'FUNCTIONS_FILE', problem }));
      throw new ConfigError(problems, { cause: error });
    }
    throw error;
  }
}
