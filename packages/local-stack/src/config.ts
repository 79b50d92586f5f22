import { signingSecretType } from '@asyncfn/queue-core/webhook';
import { type ConfigOf, duration, hostPatternType, integer, listOf, processConfig, text } from '@asyncfn/service-kit';

const MAX_PORT = 65_535;

/** The settings of the launcher; it passes all other variables on to gateway and worker. */
export const localSchema = {
  ...processConfig,
  host: text({
    env: 'HOST',
    default: '127.0.0.1',
    doc: 'Address of everything that listens. The default keeps it on this machine.',
  }),
  port: integer({ env: 'PORT', default: 8080, max: MAX_PORT, doc: 'Port of the gateway. 0: free ports for all.' }),
  opsPort: integer({
    env: 'OPS_PORT',
    max: MAX_PORT,
    doc: "Port of the gateway's operations server. Default 8082. 0: a free one for it and for the worker's.",
  }),
  workerOpsPort: integer({
    env: 'WORKER_OPS_PORT',
    max: MAX_PORT,
    doc: "Port of the worker's operations server. Default 8081.",
  }),
  inboxPort: integer({ env: 'INBOX_PORT', max: MAX_PORT, doc: 'Port of the callback inbox. Default 8090.' }),
  functionsPort: integer({
    env: 'FUNCTIONS_PORT',
    max: MAX_PORT,
    doc: 'Port of the sample functions. Default 8091.',
  }),
  natsPort: integer({ env: 'NATS_PORT', default: 0, max: MAX_PORT, doc: 'Port of the NATS server. 0: a free one.' }),
  allowedHosts: listOf(hostPatternType, {
    env: 'ALLOWED_HOSTS',
    default: [],
    doc: 'Host names that gateway and inbox accept, besides loopback names and the address that they are reached at.',
  }),
  stateDir: text({
    env: 'STATE_DIR',
    doc: "Folder of the queue. Default `.asyncfn` in the repository's root, for `asyncfn dev` in the current folder.",
  }),
  functionsFile: text({
    env: 'FUNCTIONS_FILE',
    doc: 'Path of a functions file to use instead of the sample functions.',
  }),
  callbackSigningSecrets: listOf(signingSecretType, {
    env: 'CALLBACK_SIGNING_SECRETS',
    secret: true,
    doc: 'Secrets that sign callbacks, newest first. Default: one that is created at the first start.',
  }),
  inboxSigningSecrets: listOf(signingSecretType, {
    env: 'INBOX_SIGNING_SECRETS',
    secret: true,
    doc: 'Secrets that the inbox trusts. Default: those that sign callbacks.',
  }),
  shutdownTimeoutMs: duration({
    env: 'SHUTDOWN_TIMEOUT',
    default: 10_000,
    doc: 'How long a stop waits for calls in flight before they go back into the queue.',
  }),
};

export type LocalConfig = ConfigOf<typeof localSchema>;

export interface LocalPorts {
  gateway: number;
  gatewayOps: number;
  workerOps: number;
  inbox: number;
  functions: number;
  nats: number;
}

/** A port of 0 spreads to the ports that are not set: a user who wants free ports wants no clash at all. */
export function resolvePorts(config: LocalConfig): LocalPorts {
  const freeIf = (leader: number, fallback: number) => (leader === 0 ? 0 : fallback);
  const gateway = config.port;
  const gatewayOps = config.opsPort ?? freeIf(gateway, 8082);
  return {
    gateway,
    gatewayOps,
    workerOps: config.workerOpsPort ?? freeIf(gatewayOps, 8081),
    inbox: config.inboxPort ?? freeIf(gateway, 8090),
    functions: config.functionsPort ?? freeIf(gateway, 8091),
    nats: config.natsPort,
  };
}
