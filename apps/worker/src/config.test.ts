import { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import { uploadBytes } from '@asyncfn/queue-core/jetstream';
import { defaultRetryPolicy } from '@asyncfn/queue-core/settle';
import { createSigningSecret } from '@asyncfn/queue-core/webhook';
import { ConfigError, parseConfig } from '@asyncfn/service-kit';
import { expect, expectTypeOf, test } from 'vitest';
import { contradictions, toRetryDefaults, type WorkerConfig, workerConfig } from './config.ts';

function read(env: Record<string, string> = {}): WorkerConfig {
  return parseConfig(workerConfig, env);
}

function problemsOf(act: () => unknown): Record<string, string> {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) {
      return Object.fromEntries(error.problems.map(({ name, problem }) => [name, problem]));
    }
    throw error;
  }
  return {};
}

test('the defaults are the documented ones', () => {
  expect(read()).toMatchObject({
    retryAttempts: 10,
    retryMinWaitMs: 10_000,
    retryMaxWaitMs: 120_000,
    retryBackoff: 'full',
    retryAfterMaxMs: 3_600_000,
    retryCodes: [408, 429, 500, 502, 503, 504],
    callbackTimeoutMs: 15_000,
    callbackRetryScheduleMs: [5_000, 30_000, 120_000, 600_000, 3_600_000, 10_800_000, 21_600_000],
    callbackMaxInflight: 100,
    callbackMaxPerHost: 10,
    callbackDnsServers: [],
    callbackSigningSecrets: [],
  });
  expect(workerConfig.callbackRetryScheduleMs.defaultText).toBe('5s,30s,2m,10m,1h,3h,6h');
  expect(workerConfig.retryCodes.defaultText).toBe('408,429,500,502,503,504');
  expectTypeOf(read().callbackSigningSecrets).toEqualTypeOf<readonly Uint8Array[]>();
  expect(toRetryDefaults(read())).toEqual(defaultRetryPolicy);
});

test('a worker retries as its environment says', () => {
  const config = read({
    RETRY_ATTEMPTS: '0',
    RETRY_MIN_WAIT: '0',
    RETRY_MAX_WAIT: '1m30s',
    RETRY_BACKOFF: 'equal',
    RETRY_AFTER_MAX: '6h',
    RETRY_CODES: '500, 418,500',
  });
  expect(toRetryDefaults(config)).toEqual({
    attempts: 0,
    minWaitMs: 0,
    maxWaitMs: 90_000,
    backoff: 'equal',
    maxRetryAfterMs: 21_600_000,
    codes: new Set([418, 500]),
  });
});

test('every bad variable is reported at once', () => {
  const env = {
    RETRY_ATTEMPTS: '1001',
    RETRY_MIN_WAIT: '10',
    RETRY_BACKOFF: 'linear',
    RETRY_CODES: '429,4O8',
    CALLBACK_RETRY_SCHEDULE: '5s,0s',
    CALLBACK_MAX_INFLIGHT: '0',
    CALLBACK_MAX_PER_HOST: '0',
    CALLBACK_ALLOW: '10.0.0.0/8,10.0.0.1/8',
    CALLBACK_DENY: 'http://evil.example',
    CALLBACK_PORTS: '80,0',
    CALLBACK_HTTPS_ONLY: 'yes',
  };
  expect(Object.keys(problemsOf(() => read(env)))).toEqual(Object.keys(env));
});

test('callbacks may go to the public Internet alone, unless the environment allows more', () => {
  expect(new CallbackPolicy(read()).objectTo(new URL('http://10.1.2.3'))?.rule).toBe('CALLBACK_ALLOW');
  expect(workerConfig.callbackPorts.defaultText).toBe('80,443,1024-65535');
  const env = { CALLBACK_ALLOW: '10.0.0.0/8, *.internal', CALLBACK_DENY: '10.9.0.0/16', CALLBACK_HTTPS_ONLY: 'true' };
  const policy = new CallbackPolicy(read(env));
  const rules = ['https://10.1.2.3', 'https://10.9.2.3', 'http://10.1.2.3'].map(
    (url) => policy.objectTo(new URL(url))?.rule,
  );
  expect(rules).toEqual([undefined, 'CALLBACK_DENY', 'CALLBACK_HTTPS_ONLY']);
});

test('the error for a bad rule says what would be right', () => {
  expect(problemsOf(() => read({ CALLBACK_ALLOW: '10.0.0.1/8' }))).toEqual({
    CALLBACK_ALLOW:
      '"10.0.0.1/8" is not a comma-separated list, each item a network (such as 10.0.0.0/8, with no bits behind its prefix), an address, a host name, or *. and a domain for all names below it; for example 10.0.0.0/8,*.internal.example',
  });
});

test('a shortest wait above the longest is refused, whichever of the two was set', () => {
  const problems = { RETRY_MIN_WAIT: 'is longer than RETRY_MAX_WAIT' };
  expect(problemsOf(() => toRetryDefaults(read({ RETRY_MIN_WAIT: '3m' })))).toEqual(problems);
  expect(problemsOf(() => toRetryDefaults(read({ RETRY_MAX_WAIT: '9s' })))).toEqual(problems);
  expect(problemsOf(() => toRetryDefaults(read({ RETRY_MIN_WAIT: '2m' })))).toEqual({});
});

test('signing secrets are read in their order', () => {
  const secrets = [createSigningSecret(), createSigningSecret()];
  const { callbackSigningSecrets } = read({ CALLBACK_SIGNING_SECRETS: secrets.join(', ') });
  expect(callbackSigningSecrets.map((key) => `whsec_${Buffer.from(key).toString('base64')}`)).toEqual(secrets);
});

test.each(['hunter2', 'whsec_aHVudGVyMg==', `${createSigningSecret()},whsec_hunter2`])(
  'the bad signing secret %j is refused without showing it',
  (text) => {
    const problems = problemsOf(() => read({ CALLBACK_SIGNING_SECRETS: text }));
    expect(problems).toEqual({
      CALLBACK_SIGNING_SECRETS:
        'its value (not shown) is not a comma-separated list, each item a signing secret, whsec_ and base64 of 24 to 64 bytes; for example whsec_<base64>',
    });
  },
);

test('an invalid queue name is a configuration error', () => {
  expect(() => parseConfig(workerConfig, { QUEUES: 'a b' })).toThrow(/QUEUES: "a b" is not/);
  expect(parseConfig(workerConfig, { QUEUES: 'fast,slow' }).queues).toEqual(['fast', 'slow']);
});

test('a budget that does not hold several of the largest responses is refused', () => {
  expect(contradictions(read())).toEqual([]);
  expect(contradictions(read({ MAX_RESPONSE_BYTES: '5GiB' }))).toEqual([]);
  const whole = { MAX_RESPONSE_BYTES: '100MiB', OFFLOAD_BYTES: '100MiB' };
  expect(contradictions(read({ ...whole, MAX_INFLIGHT_BYTES: '600MiB' }))).toEqual([]);
  const apart = { MAX_RESPONSE_BYTES: '5GiB', OFFLOAD_BYTES: '256KiB' };
  const least = uploadBytes / 1024;
  expect(contradictions(read({ ...apart, MAX_INFLIGHT_BYTES: `${6 * least}KiB` }))).toEqual([]);
  expect(contradictions(read({ ...apart, MAX_INFLIGHT_BYTES: `${6 * least - 1}KiB` }))).toEqual([
    {
      name: 'MAX_INFLIGHT_BYTES',
      problem: `must be at least 6 times ${least}KiB, what the worker holds of a large response`,
    },
  ]);
  expect(contradictions(read({ MAX_RESPONSE_BYTES: '5GiB', OFFLOAD_BYTES: '100MiB' }))).toEqual([
    { name: 'MAX_INFLIGHT_BYTES', problem: 'must be at least 6 times OFFLOAD_BYTES' },
  ]);
  expect(contradictions(read(whole))).toEqual([
    { name: 'MAX_INFLIGHT_BYTES', problem: 'must be at least 6 times MAX_RESPONSE_BYTES' },
  ]);
});
