import { createHash } from 'node:crypto';
import { createAccount, createOperator, createUser, type KeyPair } from '@nats-io/nkeys';

/** An operator, an account and a user of NATS's decentralized authentication (JWT and seed). */
export interface NatsIdentities {
  /** Makes a server trust the operator. */
  readonly serverConfig: string;
  /** The content of a credentials file of the user. */
  readonly credentials: string;
}

/** @see https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt */
export function createIdentities(): NatsIdentities {
  const [operator, account, user] = [createOperator(), createAccount(), createUser()];
  const operatorJwt = sign(operator, operator.getPublicKey(), { type: 'operator' });
  const unlimited = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const accountJwt = sign(operator, account.getPublicKey(), { type: 'account', limits: unlimited });
  const userJwt = sign(account, user.getPublicKey(), {
    type: 'user',
    pub: {},
    sub: {},
    subs: -1,
    data: -1,
    payload: -1,
  });
  const seed = new TextDecoder().decode(user.getSeed());
  return {
    serverConfig: `operator: ${operatorJwt}\nresolver: MEMORY\nresolver_preload { ${account.getPublicKey()}: ${accountJwt} }`,
    credentials: [
      `-----BEGIN NATS USER JWT-----\n${userJwt}\n------END NATS USER JWT------`,
      `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
    ].join('\n\n'),
  };
}

function sign(issuer: KeyPair, subject: string, claims: object): string {
  const payload = { iat: Math.floor(Date.now() / 1000), iss: issuer.getPublicKey(), name: 'test', sub: subject };
  const body = { ...payload, jti: createHash('sha256').update(subject).digest('hex'), nats: { ...claims, version: 2 } };
  const signed = `${encode({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encode(body)}`;
  return `${signed}.${Buffer.from(issuer.sign(new TextEncoder().encode(signed))).toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
