import {
  type DocumentContext,
  type FileDefinition,
  parseFunctionsFile,
  secretFilesOf,
} from '@asyncfn/queue-core/functions';
import { type ConfigOf, type FurtherFiles, type ProcessContext, SettingsFile } from '@asyncfn/service-kit';
import type { functionsConfig } from './functions-config.ts';

/** What only a gateway checks about webhooks and schedules. */
export interface GatewayFileChecks {
  readonly callProblems: NonNullable<DocumentContext['callProblems']>;
  readonly maxBodyBytes: number;
  /** The problem of a secret file, by its path and scheme; undefined if it can be used. */
  readonly checkSecretFile: (file: string, verify: string, further: FurtherFiles) => string | undefined;
}

/**
 * Reads `FUNCTIONS_FILE`, with its variables filled in from the environment; undefined if it is not set.
 *
 * @param checks those of a gateway: with them, the secret files of webhooks belong to the file. Default: they are not read
 * @throws ConfigError that lists every problem of the file with its line
 */
export async function loadFunctionsFile(
  { functionsFile: path, ...config }: ConfigOf<typeof functionsConfig>,
  { env }: Pick<ProcessContext, 'env'>,
  checks?: GatewayFileChecks,
): Promise<SettingsFile<FileDefinition> | undefined> {
  if (path === undefined) {
    return undefined;
  }
  const context = { ...config, variables: (name: string) => env[name] };
  const file = { path, env: 'FUNCTIONS_FILE' };
  if (checks === undefined) {
    return await SettingsFile.load({ ...file, parse: (text) => parseFunctionsFile(text, path, context) });
  }
  return await SettingsFile.load({
    ...file,
    furtherFiles: (text) => secretFilesOf(text, context),
    parse(text, _, further) {
      const { maxBodyBytes, checkSecretFile, callProblems } = checks;
      const secretProblem = (secret: string, verify: string) => checkSecretFile(secret, verify, further);
      return parseFunctionsFile(text, path, { ...context, webhooks: { maxBodyBytes, secretProblem }, callProblems });
    },
  });
}
