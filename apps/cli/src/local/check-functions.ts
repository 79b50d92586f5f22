import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What a gateway says of a functions file. */
export interface FunctionsVerdict {
  /** Number of functions in the file; 0 if it has problems. */
  readonly functions: number;
  readonly problems: readonly string[];
}

const run = promisify(execFile);

/** More problems than this many bytes tell are none that a person reads. */
const maxBuffer = 64 * 1024 * 1024;

/** Has the gateway that comes with this command check a file, by the settings in the environment. It starts nothing. */
export async function checkFunctions(
  path: string,
  { execPath, env }: Pick<NodeJS.Process, 'execPath' | 'env'>,
): Promise<FunctionsVerdict> {
  // Beside this module, when it is bundled.
  const script = fileURLToPath(new URL('./check-functions.js', import.meta.url));
  const { stdout } = await run(execPath, [script, path], { env, maxBuffer });
  return JSON.parse(stdout) as FunctionsVerdict;
}
