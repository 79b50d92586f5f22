import { ConfigError, parseConfig } from '@asyncfn/service-kit';
import { fileSettings } from './file-settings.ts';
import { loadFile } from './load-file.ts';

export interface FileVerdict {
  /** Number of functions in the file; 0 if it has problems. */
  readonly functions: number;
  /** As a gateway would tell them at its start; those of the file with their line: `functions.yaml:3: ...`. */
  readonly problems: readonly string[];
}

/** Checks a functions file as a gateway with this environment would at its start, without starting anything. */
export async function checkFunctionsFile(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<FileVerdict> {
  const named = { ...env, FUNCTIONS_FILE: path };
  try {
    const file = await loadFile(parseConfig(fileSettings, named), { env: named });
    return { functions: file?.current.functions.size ?? 0, problems: [] };
  } catch (error) {
    if (error instanceof ConfigError) {
      return { functions: 0, problems: error.problems.map(describe) };
    }
    throw error;
  }
}

/** Problems of the file name it already. */
function describe({ name, problem }: ConfigError['problems'][number]): string {
  return name === 'FUNCTIONS_FILE' ? problem : `${name}: ${problem}`;
}
