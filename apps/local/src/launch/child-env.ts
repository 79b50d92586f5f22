export interface ChildEnvFacts {
  port?: number;
  opsPort: number;
  host: string;
  natsUrl: string;
  functionsFile: string;
  shutdownTimeoutMs: number;
  /** What the worker signs callbacks with, unless the user has said it. */
  signingSecret?: string | undefined;
}

/**
 * The environment of gateway and worker: the launcher's own, so that their other settings can be tried, with what
 * the launcher decides. Callbacks may go to this machine, unless the user has said where they may go. Nothing of the user's own NATS gets through: theirs is the local one.
 */
export function childEnv(base: NodeJS.ProcessEnv, facts: ChildEnvFacts): NodeJS.ProcessEnv {
  const inherited = Object.entries(base).filter(([name]) => !name.startsWith('NATS_'));
  return {
    ...Object.fromEntries(inherited),
    CALLBACK_ALLOW: base['CALLBACK_ALLOW'] || ownAddresses(facts.host),
    HOST: facts.host,
    OPS_HOST: facts.host,
    // PROCESSES is for the gateway: those of a worker would take the gateway's port of operations.
    ...(facts.port === undefined ? { PROCESSES: '1' } : { PORT: String(facts.port) }),
    OPS_PORT: String(facts.opsPort),
    NATS_URL: facts.natsUrl,
    // The local server syncs every write, but has no account that could ask it.
    NATS_SYNC: 'always',
    FUNCTIONS_FILE: facts.functionsFile,
    SHUTDOWN_TIMEOUT: `${facts.shutdownTimeoutMs}ms`,
    ...(facts.signingSecret === undefined ? {} : { CALLBACK_SIGNING_SECRETS: facts.signingSecret }),
    // The launcher reads their ports from it and shows it to people in its own way.
    LOG_FORMAT: 'json',
    // Whoever has it listen on another address than the default wants to be reached there, with no more ado.
    ...(base['AUTH'] || base['AUTH_TOKENS_FILE'] ? {} : { AUTH: 'none' }),
  };
}

/** Where the inbox is, and whatever else listens on this machine for this machine alone. */
function ownAddresses(host: string): string {
  const loopback = ['127.0.0.0/8', '::1'];
  return (isWildcard(host) ? loopback : [...loopback, host]).join(',');
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
