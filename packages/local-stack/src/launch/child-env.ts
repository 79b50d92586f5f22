export interface ChildEnvFacts {
  port?: number;
  opsPort: number;
  host: string;
  natsUrl: string;
  functionsFile: string;
  shutdownTimeoutMs: number;
  /** The key with which the worker signs callbacks; undefined if the user has set one. */
  signingSecret?: string | undefined;
}

/**
 * The environment of gateway and worker: the launcher's own, so that users can try their other settings, with the
 * values that the launcher decides. Callbacks may go to this machine, and bodies may be large, unless the user has set
 * something else.
 * Settings for another NATS are left out: gateway and worker use the local one.
 */
export function childEnv(base: NodeJS.ProcessEnv, facts: ChildEnvFacts): NodeJS.ProcessEnv {
  const inherited = Object.entries(base).filter(([name]) => !name.startsWith('NATS_'));
  return {
    ...Object.fromEntries(inherited),
    CALLBACK_ALLOW: base['CALLBACK_ALLOW'] || ownAddresses(facts.host),
    HOST: facts.host,
    OPS_HOST: facts.host,
    // PROCESSES is for the gateway: further processes of a worker would take the gateway's operations port.
    ...(facts.port === undefined ? { PROCESSES: '1' } : { PORT: String(facts.port) }),
    OPS_PORT: String(facts.opsPort),
    NATS_URL: facts.natsUrl,
    // The local server syncs every write, but has no account that may ask it so.
    NATS_SYNC: 'always',
    FUNCTIONS_FILE: facts.functionsFile,
    MAX_BODY_BYTES: base['MAX_BODY_BYTES'] || '64MiB',
    MAX_RESPONSE_BYTES: base['MAX_RESPONSE_BYTES'] || '64MiB',
    SHUTDOWN_TIMEOUT: `${facts.shutdownTimeoutMs}ms`,
    ...(facts.signingSecret === undefined ? {} : { CALLBACK_SIGNING_SECRETS: facts.signingSecret }),
    // The launcher reads their ports from the log and prints it in its own format.
    LOG_FORMAT: 'json',
    // A user who lets it listen on another address than the default wants to reach it there without further settings.
    ...(base['AUTH'] || base['AUTH_TOKENS_FILE'] ? {} : { AUTH: 'none' }),
  };
}

/** The address of the inbox, and of everything else that listens only on this machine. */
function ownAddresses(host: string): string {
  const loopback = ['127.0.0.0/8', '::1'];
  return (isWildcard(host) ? loopback : [...loopback, host]).join(',');
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
