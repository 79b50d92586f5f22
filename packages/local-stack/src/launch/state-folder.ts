import { access, constants, mkdir } from 'node:fs/promises';
import { getuid } from 'node:process';
import { ConfigError } from '@asyncfn/service-kit';

/**
 * Creates the folder of the queue if it does not exist.
 * @throws {ConfigError} if this user cannot create it or write to it.
 */
export async function makeStateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const user = getuid === undefined ? 'this user' : `the user with the id ${getuid()}`;
    const problem = `${user} cannot write to ${path} (${reason}); name a folder where it may, or give it this one`;
    throw new ConfigError([{ name: 'STATE_DIR', problem }], { cause });
  }
}
