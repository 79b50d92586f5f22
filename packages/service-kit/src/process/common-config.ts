import { availableParallelism } from 'node:os';
import {
  type ConfigOf,
  choice,
  duration,
  integer,
  listOf,
  text,
  urlList,
  type ValueType,
  value,
} from '../config/index.ts';
import { type HostPattern, hostPatternType } from '../hosts/index.ts';
import { LOG_FORMATS, LOG_LEVELS } from '../logging/index.ts';
import { tracingConfig } from '../tracing/index.ts';

/** The settings that `runProcess` itself reads: every process has these. */
export const processConfig = {
  logLevel: choice({
    env: 'LOG_LEVEL',
    values: LOG_LEVELS,
    default: 'info',
    doc: 'The lowest level that is logged.',
  }),
  logFormat: choice({
    env: 'LOG_FORMAT',
    values: LOG_FORMATS,
    default: 'json',
    doc: '`json` is one object a line, `console` is for people.',
  }),
  shutdownTimeoutMs: duration({
    env: 'SHUTDOWN_TIMEOUT',
    default: 30_000,
    doc: 'How long a stop waits for work in flight before it hands it back.',
  }),
};

/** A domain is one token of a subject. */
const jetStreamDomainType: ValueType<string> = {
  expected: 'the name of a JetStream domain, without dots, blanks and wildcards',
  example: 'hub',
  parse: (domain) => (/^[^\s.*>$]+$/.test(domain) ? domain : undefined),
  format: (domain) => domain,
};

/** The settings that gateway and worker share. `OPS_PORT` is not here: its default differs. */
export const commonConfig = {
  natsUrls: urlList({
    env: 'NATS_URL',
    protocols: ['nats:', 'tls:'],
    default: ['nats://127.0.0.1:4222'],
    doc: 'Servers of the NATS cluster; any of them will do. With `tls://` only encrypted connections.',
  }),
  natsCredentialsFile: text({
    env: 'NATS_CREDENTIALS_FILE',
    doc: 'Path of a NATS credentials file (JWT and seed).',
  }),
  natsUser: text({ env: 'NATS_USER', doc: 'User name at NATS.' }),
  natsPassword: text({ env: 'NATS_PASSWORD', secret: true, doc: 'Password at NATS.' }),
  natsToken: text({ env: 'NATS_TOKEN', secret: true, doc: 'Token at NATS.' }),
  natsInboxPrefix: text({
    env: 'NATS_INBOX_PREFIX',
    default: '_INBOX',
    doc: 'Prefix of the subjects at which NATS answers. If each process has its own, permissions can keep it from reading the answers to others.',
  }),
  natsTlsCaFile: text({
    env: 'NATS_TLS_CA_FILE',
    doc: 'Path of a PEM file with the authorities that may sign the certificate of NATS.',
  }),
  natsTlsCertFile: text({
    env: 'NATS_TLS_CERT_FILE',
    doc: 'Path of a PEM file with the client certificate, if NATS requires one (mutual TLS). With `NATS_TLS_KEY_FILE`. Files are read again on each connection, so that they can be renewed.',
  }),
  natsTlsKeyFile: text({
    env: 'NATS_TLS_KEY_FILE',
    doc: 'Path of a PEM file with the private key of that certificate, without a passphrase.',
  }),
  natsDomain: value(jetStreamDomainType, {
    env: 'NATS_DOMAIN',
    doc: 'JetStream domain of the streams, if the servers in `NATS_URL` are leaf nodes and the streams are in their hub. See docs/nats-permissions.md.',
  }),
  streamReplicas: integer({
    env: 'STREAM_REPLICAS',
    default: 1,
    min: 1,
    max: 5,
    doc: 'Copies that JetStream keeps of each stream; 3 survive the loss of a server.',
  }),
  ...processConfig,
  ...tracingConfig,
  allowedHosts: listOf(hostPatternType, {
    env: 'ALLOWED_HOSTS',
    default: [],
    doc: 'Host names (`Host`) that a gateway without tokens accepts, besides loopback names and the address that it is reached at. They also apply to an operations server on a loopback address.',
  }),
  opsHost: text({ env: 'OPS_HOST', doc: 'Address of the operations server. Default: that of `HOST`.' }),
};

/**
 * The address that a process listens on.
 * @param doc what listens there, beside the operations server
 */
export function host(doc: string) {
  return text({ env: 'HOST', default: '0.0.0.0', doc });
}

interface ListenConfig {
  readonly host: string;
  readonly opsHost: string | undefined;
  readonly opsPort: number;
  readonly allowedHosts: readonly HostPattern[];
}

/** The address of the operations server: a setting that keeps the API on this machine keeps it there as well. */
export function opsAddress({ host, opsHost, opsPort, allowedHosts }: ListenConfig) {
  return { host: opsHost ?? host, port: opsPort, allowedHosts };
}

/** The address of the broker and our credentials, in the form that its client takes. */
export function brokerAddress(config: ConfigOf<typeof commonConfig>) {
  return {
    servers: config.natsUrls,
    credentialsFile: config.natsCredentialsFile,
    user: config.natsUser,
    password: config.natsPassword,
    token: config.natsToken,
    inboxPrefix: config.natsInboxPrefix,
    tlsCaFile: config.natsTlsCaFile,
    tlsCertFile: config.natsTlsCertFile,
    tlsKeyFile: config.natsTlsKeyFile,
    domain: config.natsDomain,
  };
}

/**
 * The port of the operations server, 0 for a free one.
 * @param port default
 */
export function opsPort(port: number) {
  return integer({
    env: 'OPS_PORT',
    default: port,
    max: 65_535,
    doc: 'Port of the operations server (`/metrics`, `/livez`, `/readyz`); 0 picks a free one.',
  });
}

const maxProcesses = 256;

/** A number of processes, or `auto`: one for each core that this process may use. */
const processCountType: ValueType<number> = {
  expected: `a whole number between 1 and ${maxProcesses}, or auto`,
  example: 'auto',
  parse(text) {
    if (text === 'auto') {
      return Math.min(availableParallelism(), maxProcesses);
    }
    const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
    return count >= 1 && count <= maxProcesses ? count : undefined;
  },
  format: String,
};

/**
 * How many processes share the work of one program.
 * @param doc what is shared, and what each has of its own
 */
export function processes(doc: string) {
  return value(processCountType, { env: 'PROCESSES', default: 1, doc });
}
