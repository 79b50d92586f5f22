import { join, resolve } from 'node:path';
import { type LocalConfig, type LocalPorts, resolvePorts } from '../config.ts';
import { checkPorts, type WantedPort } from '../port.ts';
import { lockFolder } from './folder-lock.ts';
import { type KeptSecret, keepSigningSecret } from './signing-secret.ts';
import { makeStateFolder } from './state-folder.ts';

/** The prerequisites of everything on this machine. */
export interface Preparation {
  readonly stateDir: string;
  readonly ports: LocalPorts;
  /** Undefined if the user has set secrets: the worker gets those with the rest of the environment. */
  readonly secret: KeptSecret | undefined;
  /** The keys of callbacks that the inbox trusts. */
  readonly trustedKeys: readonly Uint8Array[];
  /** Releases the state folder. */
  readonly release: () => Promise<void>;
}

/**
 * Locks the state folder for this process, and checks the ports. Throws errors that say what to set.
 * @param defaultStateDir the folder if `STATE_DIR` is not set
 */
export async function prepareLocal(config: LocalConfig, defaultStateDir: string): Promise<Preparation> {
  const stateDir = resolve(config.stateDir ?? defaultStateDir);
  const ports = resolvePorts(config);
  await makeStateFolder(stateDir);
  const lock = await lockFolder(stateDir);
  await checkPorts(wantedPorts(config.host, ports));
  const isSet = config.callbackSigningSecrets !== undefined;
  const secret = isSet ? undefined : await keepSigningSecret(join(stateDir, 'callback-signing-secret'));
  const own = secret === undefined ? [] : [secret.key];
  const trustedKeys = config.inboxSigningSecrets ?? config.callbackSigningSecrets ?? own;
  return { stateDir, ports, secret, trustedKeys, release: async () => lock[Symbol.asyncDispose]() };
}

function wantedPorts(host: string, ports: LocalPorts): WantedPort[] {
  return [
    { host, port: ports.gateway, variable: 'PORT', what: 'gateway' },
    { host, port: ports.gatewayOps, variable: 'OPS_PORT', what: 'gateway operations' },
    { host, port: ports.workerOps, variable: 'WORKER_OPS_PORT', what: 'worker operations' },
    { host, port: ports.inbox, variable: 'INBOX_PORT', what: 'callback inbox' },
    { host, port: ports.functions, variable: 'FUNCTIONS_PORT', what: 'sample functions' },
    { host, port: ports.nats, variable: 'NATS_PORT', what: 'NATS' },
  ];
}
