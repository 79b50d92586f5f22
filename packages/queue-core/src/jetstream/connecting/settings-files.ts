import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { credsAuthenticator } from '@nats-io/transport-node';
import type { ClientSettings } from './client-settings.ts';
import type { TlsMaterial } from './handshake-probe.ts';

/** The problem of a setting, by the name of its variable. */
export interface SettingProblem {
  readonly name: string;
  readonly problem: string;
}

/** The files that the settings name, as far as they could be read. */
export interface SettingsFiles {
  readonly problems: readonly SettingProblem[];
  readonly tls: TlsMaterial;
  readonly credentials: Uint8Array | undefined;
}

/** The problems of the files that the settings name. Check them before the start: each is bad configuration. */
export async function findSettingProblems(settings: ClientSettings): Promise<readonly SettingProblem[]> {
  return (await readSettingsFiles(settings)).problems;
}

type FileSetting = 'NATS_CREDENTIALS_FILE' | 'NATS_TLS_CA_FILE' | 'NATS_TLS_CERT_FILE' | 'NATS_TLS_KEY_FILE';

/** Reads the files with our credentials at NATS, and finds all their problems. Never rejects. */
export async function readSettingsFiles(settings: ClientSettings): Promise<SettingsFiles> {
  const problems: SettingProblem[] = [];
  const { credentialsFile, tlsCaFile, tlsCertFile, tlsKeyFile } = settings;
  const [credentials, ca, cert, key] = await Promise.all([
    readChecked('NATS_CREDENTIALS_FILE', credentialsFile, credentialsProblem, problems),
    readChecked('NATS_TLS_CA_FILE', tlsCaFile, certificateProblem, problems),
    readChecked('NATS_TLS_CERT_FILE', tlsCertFile, certificateProblem, problems),
    readChecked('NATS_TLS_KEY_FILE', tlsKeyFile, keyProblem, problems),
  ]);
  problems.push(...pairProblems(settings, cert, key));
  return {
    problems,
    tls: { ca, cert, key },
    credentials: credentials === undefined ? undefined : new TextEncoder().encode(credentials),
  };
}

/** The text of the file; undefined if none is set, or it has a problem. */
async function readChecked(
  name: FileSetting,
  path: string | undefined,
  problemOf: (text: string) => string | undefined,
  problems: SettingProblem[],
): Promise<string | undefined> {
  if (path === undefined) {
    return undefined;
  }
  try {
    const text = await readFile(path, 'utf8');
    const problem = problemOf(text);
    if (problem === undefined) {
      return text;
    }
    problems.push({ name, problem: `${path} ${problem}` });
  } catch (error) {
    problems.push({ name, problem: `${path} cannot be read${reasonOf(error)}` });
  }
  return undefined;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? ` (${code})` : '';
}

function credentialsProblem(text: string): string | undefined {
  const read = credsAuthenticator(new TextEncoder().encode(text));
  return works(() => read('nonce')) ? undefined : 'holds no credentials';
}

function certificateProblem(text: string): string | undefined {
  return works(() => new X509Certificate(text)) ? undefined : 'holds no certificate in PEM form';
}

function keyProblem(text: string): string | undefined {
  return works(() => createPrivateKey(text)) ? undefined : 'holds no private key in PEM form without a passphrase';
}

/** Certificate and key come as a pair. */
function pairProblems(
  { tlsCertFile, tlsKeyFile }: ClientSettings,
  cert: string | undefined,
  key: string | undefined,
): SettingProblem[] {
  if ((tlsCertFile === undefined) !== (tlsKeyFile === undefined)) {
    const [missing, there] =
      tlsCertFile === undefined
        ? ['NATS_TLS_CERT_FILE', 'NATS_TLS_KEY_FILE']
        : ['NATS_TLS_KEY_FILE', 'NATS_TLS_CERT_FILE'];
    return [{ name: missing, problem: `is missing: ${there} is set, and a client certificate needs both` }];
  }
  if (cert !== undefined && key !== undefined && !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    return [
      { name: 'NATS_TLS_KEY_FILE', problem: `${tlsKeyFile} is not the key of the certificate in ${tlsCertFile}` },
    ];
  }
  return [];
}

function works(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
