/** The target of an attack, and the attacker's resources. */
export interface AttackTarget {
  readonly gatewayUrl: string;
  /** The attacker's token. */
  readonly token: string;
  /** The attacker's own functions and receivers: see `startAttackerServer`. */
  readonly server: { readonly port: number };
  /** The share of its full rate that the attack uses. Default 1. */
  readonly scale?: number;
}

/** One caller that harms others. Disposing ends it. */
export interface Attack extends Disposable {
  /** How many answers there were of each status. */
  readonly answers: ReadonlyMap<number, number>;
}

/** Begins. Resolves once it holds all its connections. */
export type StartAttack = (target: AttackTarget) => Promise<Attack>;

/**
 * Names of the attacker's functions; each is a path of its server, to which `defaults.url` leads invented names as
 * well.
 */
export const attackerFunctions = ['fast', 'slow', 'huge'] as const;

/** The bytes of a request of the attacker. */
export function toAttackRequest(
  { token }: Pick<AttackTarget, 'token'>,
  line: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): Buffer {
  const all = {
    Host: 'localhost',
    Authorization: `Bearer ${token}`,
    'Content-Length': String(body.length),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`${[`${line} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n${body}`, 'latin1');
}
