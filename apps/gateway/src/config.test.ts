import { ConfigError, parseConfig } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { contradictions, gatewayConfig } from './config.ts';

test('a publish timeout that is too long for a timer is refused, instead of ending at once', () => {
  expect(() => parseConfig(gatewayConfig, { PUBLISH_TIMEOUT: '30d' })).toThrow(ConfigError);
  expect(parseConfig(gatewayConfig, { PUBLISH_TIMEOUT: '1h' }).publishTimeoutMs).toBe(3_600_000);
});

test('a body limit that exceeds the room for bodies is a contradiction', () => {
  const problems = (env: Record<string, string>) => contradictions(parseConfig(gatewayConfig, env));
  expect(problems({ MAX_BODY_BYTES: '2MiB', MAX_INFLIGHT_BYTES: '2MiB' })).toMatchObject([
    { name: 'MAX_INFLIGHT_BYTES' },
  ]);
  expect(problems({ MAX_BODY_BYTES: '7MiB', MAX_INFLIGHT_BYTES: '8MiB' })).toEqual([]);
});

test('the same variables tell gateway and worker where callbacks may go', () => {
  const env = { CALLBACK_ALLOW: '1.2.3', CALLBACK_DENY: '*', CALLBACK_PORTS: '-1', CALLBACK_HTTPS_ONLY: '1' };
  const problems = Object.keys(env).map((name) => expect.objectContaining({ name }));
  expect(() => parseConfig(gatewayConfig, env)).toThrow(expect.objectContaining({ problems }));
});
