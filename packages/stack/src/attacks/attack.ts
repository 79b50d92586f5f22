/** Whom an attack is directed at, and what belongs to the attacker. */
export interface AttackTarget {
  readonly gatewayUrl: string;
  /** Of the attacker. */
  readonly token: string;
  /** The attacker's own functions and receivers: see `startAttackerServer`. */
  readonly server: { readonly port: number };
  /** What part of its rate the attack has. Default 1. */
  readonly scale?: number;
}

/** One caller who does what hurts. Disposing ends it. */
export interface Attack extends Disposable {
  /** How many answers there were of each status. */
  readonly answers: ReadonlyMap<number, number>;
}

/** Begins. Resolves when all that it holds is there. */
export type StartAttack = (target: AttackTarget) => Promise<Attack>;

/** Names of the attacker's functions; each is a path of its server, where `defaults.url` leads invented names as well. */
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
