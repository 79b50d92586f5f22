import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Path of the profile file: `asyncfn/config.yaml` in `$XDG_CONFIG_HOME`, by default in `~/.config`.
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function profilePath(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'asyncfn', 'config.yaml');
}
