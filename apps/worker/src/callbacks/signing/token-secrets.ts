import { type FurtherFiles, type ParsedSettings, SettingsFile } from '@asyncfn/service-kit';
import { parseTokensFile, secretFilesOf } from '@asyncfn/tokens';
import type { WorkerConfig } from '../../config.ts';
import { parseSecretFile, type SecretFile } from './secret-file.ts';

/** The keys of each known token, newest first; undefined for a token without secrets of its own. */
export type TokenKeys = ReadonlyMap<string, readonly Uint8Array[] | undefined>;

/**
 * Reads the secrets that `AUTH_TOKENS_FILE` names.
 *
 * @returns undefined if the setting is empty
 * @throws ConfigError that lists every problem with the file and the secrets
 */
export async function loadTokenSecrets({
  authTokensFile: path,
}: Pick<WorkerConfig, 'authTokensFile'>): Promise<SettingsFile<TokenKeys> | undefined> {
  return path === undefined
    ? undefined
    : SettingsFile.load({ path, env: 'AUTH_TOKENS_FILE', furtherFiles: secretFilesOf, parse });
}

function parse(text: string, path: string, further: FurtherFiles): ParsedSettings<TokenKeys> {
  const secretProblem = (file: string): string | undefined => {
    const read = readSecrets(file, further);
    return read.kind === 'refused' ? `${file} ${read.problem}` : undefined;
  };
  const parsed = parseTokensFile(text, path, { secretProblem });
  if (parsed.kind === 'refused') {
    return parsed;
  }
  const keys = parsed.settings.map(
    ({ name, callbackSecretFile }) => [name, keysOf(callbackSecretFile, further)] as const,
  );
  return { kind: 'settings', settings: new Map(keys) };
}

function keysOf(file: string | undefined, further: FurtherFiles): readonly Uint8Array[] | undefined {
  const read = file === undefined ? undefined : readSecrets(file, further);
  return read?.kind === 'keys' ? read.keys : undefined;
}

function readSecrets(file: string, further: FurtherFiles): SecretFile {
  const read = further(file);
  return read.kind === 'text'
    ? parseSecretFile(read.text)
    : { kind: 'refused', problem: `cannot be read: ${read.why}` };
}
