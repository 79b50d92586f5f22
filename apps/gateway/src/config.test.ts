import { ConfigError, parseConfig } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { contradictions, gatewayConfig } from './config.ts';

test('a publish timeout that is too long for a timer is refused, instead of ending at once', () => {
  expect(() => parseConfig(gatewayConfig, { PUBLISH_TIMEOUT: '30d' })).toThrow(ConfigError);
  expect(parseConfig(gatewayConfig, { PUBLISH_TIMEOUT: '1h' }).publishTimeoutMs).toBe(3_600_000);
});

test('a body limit that exceeds the room for bodies is a contradiction', () => {
  const problems = (env: Record<string, string>) => contradictions(parseConfig(gatewayConfig, env));
  const tooLittle = [{ name: 'MAX_INFLIGHT_BYTES' }];
  const whole = { OFFLOAD_BYTES: '1GiB' };
  expect(problems({ ...whole, MAX_BODY_BYTES: '2MiB', MAX_INFLIGHT_BYTES: '2MiB' })).toMatchObject(tooLittle);
  expect(problems({ ...whole, MAX_BODY_BYTES: '7MiB', MAX_INFLIGHT_BYTES: '8MiB' })).toEqual([]);
  // Larger bodies are not held as a whole.
  expect(problems({ MAX_BODY_BYTES: '5GiB', MAX_INFLIGHT_BYTES: '1MiB' })).toEqual([]);
  expect(problems({ MAX_BODY_BYTES: '5GiB', MAX_INFLIGHT_BYTES: '512KiB' })).toMatchObject(tooLittle);
  expect(() => parseConfig(gatewayConfig, { MAX_BODY_BYTES: '6GiB' })).toThrow();
});

test('the same variables tell gateway and worker where callbacks may go', () => {
  const env = { CALLBACK_ALLOW: '1.2.3', CALLBACK_DENY: '*', CALLBACK_PORTS: '-1', CALLBACK_HTTPS_ONLY: '1' };
  const problems = Object.keys(env).map((name) => expect.objectContaining({ name }));
  expect(() => parseConfig(gatewayConfig, env)).toThrow(expect.objectContaining({ problems }));
});
