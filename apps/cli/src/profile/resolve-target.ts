import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { usageError } from '../failure/index.ts';
import type { Profile } from './profile-file.ts';
import { profilePath } from './profile-path.ts';

export interface TargetOptions {
  /** `--url` */
  readonly url?: string;
  /** `--profile` */
  readonly profile?: string;
}

/** The gateway of a command. */
export interface Target {
  readonly url: string;
  readonly token: string | undefined;
  /** What the user should change, such as the mode of a file. */
  readonly warnings: readonly string[];
}

const defaultUrl = 'http://127.0.0.1:8080';

/**
 * The URL is that of `--url`, `ASYNCFN_URL`, the profile, or a gateway on this machine, in this order. The token is
 * `ASYNCFN_TOKEN`, or that of the profile if the URL is on the same origin: the token of one gateway never goes to another.
 *
 * @throws {CliError} for a profile that does not exist or is wrong
 */
export async function resolveTarget(options: TargetOptions, env: NodeJS.ProcessEnv): Promise<Target> {
  const path = profilePath(env);
  const wanted = options.profile ?? (env['ASYNCFN_PROFILE'] || undefined);
  const profile = await loadProfile(path, wanted);
  const url = options.url ?? (env['ASYNCFN_URL'] || profile?.url || defaultUrl);
  checkUrl(url, options.url === undefined ? (env['ASYNCFN_URL'] ? 'ASYNCFN_URL' : path) : '--url');
  const own = env['ASYNCFN_TOKEN'] || undefined;
  if (own !== undefined || profile === undefined || !isSameOrigin(profile.url, url)) {
    return { url, token: own, warnings: [] };
  }
  const { token, file } = await readToken(profile, path);
  return { url, token, warnings: token === undefined ? [] : await modeWarnings(file) };
}

function checkUrl(url: string, source: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw usageError(`${source}: ${JSON.stringify(url)} is no http or https URL; write http://127.0.0.1:8080`);
  }
}

function isSameOrigin(one: string, other: string): boolean {
  return URL.canParse(one) && new URL(one).origin === new URL(other).origin;
}

async function loadProfile(path: string, wanted: string | undefined): Promise<Profile | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) {
    if (wanted !== undefined) {
      throw usageError(`there is no profile ${JSON.stringify(wanted)}: ${path} does not exist`);
    }
    return undefined;
  }
  // Few have such a file; the others do not wait for its parser.
  const { parseProfiles } = await import('./profile-file.ts');
  const parsed = parseProfiles(text, path);
  if (parsed.kind === 'refused') {
    throw usageError(parsed.problems.join('\n'));
  }
  const { profiles, default: chosen = 'default' } = parsed.file;
  const name = wanted ?? chosen;
  if (Object.hasOwn(profiles, name)) {
    return profiles[name];
  }
  if (wanted !== undefined) {
    const known = Object.keys(profiles).join(', ') || 'none';
    throw usageError(`${path} has no profile ${JSON.stringify(wanted)}; it has: ${known}`);
  }
  return undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined;
    }
    throw usageError(`${path}: cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function readToken({ token, tokenFile }: Profile, path: string): Promise<{ token?: string; file: string }> {
  if (tokenFile === undefined) {
    return { ...(token !== undefined && { token }), file: path };
  }
  const file = resolve(dirname(path), tokenFile);
  const text = (await readIfThere(file))?.trim();
  if (text === undefined || text === '') {
    throw usageError(`${path}: tokenFile: ${file} ${text === undefined ? 'does not exist' : 'is empty'}`);
  }
  return { token: text, file };
}

async function modeWarnings(file: string): Promise<string[]> {
  const { mode } = await stat(file);
  return (mode & 0o077) === 0 ? [] : [`${file} holds a token, and others may read it: chmod 600 ${file}`];
}
