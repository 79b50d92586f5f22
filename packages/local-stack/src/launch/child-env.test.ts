import { expect, test } from 'vitest';
import { childEnv } from './child-env.ts';

const FACTS = {
  port: 0,
  opsPort: 8082,
  host: '127.0.0.1',
  natsUrl: 'nats://127.0.0.1:1234',
  functionsFile: '/state/functions.yaml',
  shutdownTimeoutMs: 10_000,
};

test('values that the launcher decides win, all others are passed on', () => {
  expect(childEnv({ PATH: '/bin', MAX_INFLIGHT: '7', PORT: '1', LOG_FORMAT: 'console' }, FACTS)).toEqual({
    PATH: '/bin',
    MAX_INFLIGHT: '7',
    HOST: '127.0.0.1',
    OPS_HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '8082',
    NATS_URL: 'nats://127.0.0.1:1234',
    NATS_SYNC: 'always',
    FUNCTIONS_FILE: '/state/functions.yaml',
    MAX_BODY_BYTES: '64MiB',
    MAX_RESPONSE_BYTES: '64MiB',
    SHUTDOWN_TIMEOUT: '10000ms',
    CALLBACK_ALLOW: '127.0.0.0/8,::1,127.0.0.1',
    LOG_FORMAT: 'json',
    AUTH: 'none',
  });
});

test('the gateway is open unless the user has set otherwise', () => {
  expect(childEnv({ AUTH_TOKENS_FILE: '/tokens' }, FACTS)).not.toHaveProperty('AUTH');
  expect(childEnv({ AUTH: 'tokens' }, FACTS)['AUTH']).toBe('tokens');
});

test('a signing secret is passed on; without one of ours, that of the user stays', () => {
  expect(childEnv({}, { ...FACTS, signingSecret: 'whsec_x' })['CALLBACK_SIGNING_SECRETS']).toBe('whsec_x');
  expect(childEnv({ CALLBACK_SIGNING_SECRETS: 'a,b' }, FACTS)['CALLBACK_SIGNING_SECRETS']).toBe('a,b');
  expect(childEnv({}, FACTS)).not.toHaveProperty('CALLBACK_SIGNING_SECRETS');
});

test('bodies may be large, unless the user has set otherwise', () => {
  expect(childEnv({ MAX_BODY_BYTES: '1KiB' }, FACTS)['MAX_BODY_BYTES']).toBe('1KiB');
});

test('settings for another NATS are left out', () => {
  const env = childEnv({ NATS_USER: 'me', NATS_PASSWORD: 'x', NATS_TLS_CA_FILE: '/ca' }, FACTS);
  expect(Object.keys(env).filter((name) => name.startsWith('NATS_'))).toEqual(['NATS_URL', 'NATS_SYNC']);
});

test('callbacks may go to this machine, unless the user sets where they may go', () => {
  expect(childEnv({ CALLBACK_ALLOW: '' }, FACTS)['CALLBACK_ALLOW']).toBe('127.0.0.0/8,::1,127.0.0.1');
  expect(childEnv({}, { ...FACTS, host: '192.168.1.5' })['CALLBACK_ALLOW']).toBe('127.0.0.0/8,::1,192.168.1.5');
  expect(childEnv({}, { ...FACTS, host: '0.0.0.0' })['CALLBACK_ALLOW']).toBe('127.0.0.0/8,::1');
  expect(childEnv({ CALLBACK_ALLOW: '10.0.0.0/8' }, FACTS)['CALLBACK_ALLOW']).toBe('10.0.0.0/8');
});
