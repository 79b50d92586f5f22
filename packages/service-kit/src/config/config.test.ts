import { describe, expect, expectTypeOf, test } from 'vitest';
import { commonConfig, opsPort } from '../process/common-config.ts';
import { tracingConfig } from '../tracing/tracing-config.ts';
import { ConfigError, parseConfig, type Schema } from './config.ts';
import {
  choice,
  duration,
  durationList,
  flag,
  integer,
  integerList,
  list,
  listOf,
  size,
  text,
  url,
  urlList,
} from './config-fields.ts';

const schema = {
  port: integer({ env: 'PORT', default: 8080, max: 65_535, doc: 'Port.' }),
  maxBodyBytes: size({ env: 'MAX_BODY_BYTES', default: 1_048_576, min: 1, doc: 'Largest body.' }),
  timeoutMs: duration({ env: 'TIMEOUT', default: 5_000, min: 100, max: 60_000, doc: 'Limit.' }),
  format: choice({ env: 'FORMAT', values: ['json', 'console'], default: 'json', doc: 'Format.' }),
  queues: list({ env: 'QUEUES', doc: 'Queues.' }),
  servers: urlList({ env: 'SERVERS', protocols: ['nats:', 'tls:'], default: ['nats://a:4222'], doc: 'Servers.' }),
  home: url({ env: 'HOME_URL', doc: 'Home.' }),
  user: text({ env: 'USER_NAME', doc: 'User.' }),
  password: text({ env: 'PASSWORD', secret: true, doc: 'Password.' }),
  workers: integer({ env: 'WORKERS', secret: true, doc: 'A secret number.' }),
  strict: flag({ env: 'STRICT', default: false, doc: 'Strictness.' }),
};

const keyType = {
  expected: 'a key',
  example: 'k:...',
  parse: (item: string) => (item.startsWith('k:') ? item.slice(2) : undefined),
  format: (value: string) => `k:${value}`,
};

const lists = {
  waitsMs: durationList({ env: 'WAITS', min: 1, default: [5_000, 120_000], doc: 'Waits.' }),
  codes: integerList({ env: 'CODES', min: 100, max: 599, doc: 'Codes.' }),
  keys: listOf(keyType, { env: 'KEYS', secret: true, default: [], doc: 'Keys.' }),
};

function problemsOf(env: Record<string, string>, of: Schema = schema): Record<string, string> {
  try {
    parseConfig(of, env);
  } catch (error) {
    if (error instanceof ConfigError) {
      return Object.fromEntries(error.problems.map(({ name, problem }) => [name, problem]));
    }
    throw error;
  }
  return {};
}

describe('parseConfig', () => {
  test('an empty environment yields the defaults, and undefined for optional variables', () => {
    expect(parseConfig(schema, {})).toEqual({
      port: 8080,
      maxBodyBytes: 1_048_576,
      timeoutMs: 5_000,
      format: 'json',
      queues: undefined,
      servers: ['nats://a:4222'],
      home: undefined,
      user: undefined,
      password: undefined,
      workers: undefined,
      strict: false,
    });
  });

  test('each kind of field reads its text', () => {
    const config = parseConfig(schema, {
      PORT: '0',
      MAX_BODY_BYTES: '512KiB',
      TIMEOUT: '1.5s',
      FORMAT: 'console',
      QUEUES: 'a, b,c',
      SERVERS: 'nats://x:1,tls://y',
      HOME_URL: 'https://example.com/a?b',
      USER_NAME: ' with blanks ',
      STRICT: 'true',
    });
    expect(config).toMatchObject({
      port: 0,
      maxBodyBytes: 524_288,
      timeoutMs: 1_500,
      format: 'console',
      queues: ['a', 'b', 'c'],
      servers: ['nats://x:1', 'tls://y'],
      home: 'https://example.com/a?b',
      user: ' with blanks ',
      strict: true,
    });
  });

  test('the types of the values follow from the schema', () => {
    const config = parseConfig(schema, {});
    expectTypeOf(config.port).toEqualTypeOf<number>();
    expectTypeOf(config.format).toEqualTypeOf<'json' | 'console'>();
    expectTypeOf(config.queues).toEqualTypeOf<readonly string[] | undefined>();
    expectTypeOf(config.servers).toEqualTypeOf<readonly string[]>();
    expectTypeOf(config.user).toEqualTypeOf<string | undefined>();
    expectTypeOf(config.strict).toEqualTypeOf<boolean>();
    expectTypeOf(config.workers).toEqualTypeOf<number | undefined>();
  });

  test('lists read each of their items as the field alone would', () => {
    expect(parseConfig(lists, { WAITS: '250ms, 1h30m', CODES: '429,503', KEYS: 'k:ab,k:cd' })).toEqual({
      waitsMs: [250, 5_400_000],
      codes: [429, 503],
      keys: ['ab', 'cd'],
    });
    expect(parseConfig(lists, {})).toEqual({ waitsMs: [5_000, 120_000], codes: undefined, keys: [] });
    expectTypeOf(parseConfig(lists, {})).toEqualTypeOf<{
      readonly waitsMs: readonly number[];
      readonly codes: readonly number[] | undefined;
      readonly keys: readonly string[];
    }>();
  });

  test('one bad item makes the list a problem, and that of a secret is not shown', () => {
    expect(problemsOf({ WAITS: '5s,0s', CODES: '429,42', KEYS: 'k:ab,hunter2' }, lists)).toEqual({
      WAITS: '"5s,0s" is not a comma-separated list, each item a duration of at least 1ms; for example 5s,2m',
      CODES: '"429,42" is not a comma-separated list, each item a whole number between 100 and 599; for example 100',
      KEYS: 'its value (not shown) is not a comma-separated list, each item a key; for example k:...',
    });
  });

  test.each(['', ',', '5s,', '5s,,1s', '5s;1s', '5'])('%j is not a list of durations', (waits) => {
    expect(Object.keys(problemsOf({ WAITS: waits }, lists))).toEqual(waits === '' ? [] : ['WAITS']);
  });

  test('a variable set to nothing counts as not set', () => {
    expect(parseConfig(schema, { PORT: '', QUEUES: '', FORMAT: '' })).toMatchObject({ port: 8080, format: 'json' });
  });

  test('every bad variable is named at once, with its value and what would be right', () => {
    expect(
      problemsOf({ PORT: '80a', MAX_BODY_BYTES: '0', TIMEOUT: '10', FORMAT: 'xml', QUEUES: 'a,,b', SERVERS: 'a:4222' }),
    ).toEqual({
      PORT: '"80a" is not a whole number between 0 and 65535; for example 8080',
      MAX_BODY_BYTES: '"0" is not a size of at least 1B; for example 1MiB',
      TIMEOUT: '"10" is not a duration between 100ms and 1m; for example 5s',
      FORMAT: '"xml" is not one of json, console; for example json',
      QUEUES: '"a,,b" is not a comma-separated list, each item a text; for example text',
      SERVERS:
        '"a:4222" is not a comma-separated list, each item an absolute nats:// or tls:// URL without user and password; for example nats://a:4222',
    });
  });

  test('the error reads as one line a problem', () => {
    expect(() => parseConfig(schema, { PORT: '-1', HOME_URL: '/x' })).toThrow(
      /^PORT: "-1" is not .*\nHOME_URL: "\/x" is not an absolute http:\/\/ or https:\/\/ URL without user and password; for example http:\/\/host:8080$/,
    );
  });

  test.each(['-1', '65536', '1.0', '0x50', '80 ', '1e3', '٨٠'])('a port is not %j', (port) => {
    expect(problemsOf({ PORT: port })).toHaveProperty('PORT');
  });

  test('the value of a secret is never shown', () => {
    expect(problemsOf({ WORKERS: 'hunter2' })['WORKERS']).toBe(
      'its value (not shown) is not a whole number; for example 1',
    );
  });

  test.each([
    'nats://user:hunter2@host:4222',
    'nats://user:hunter2@host:4222,oops',
    'nats://user:hun,ter2@host,x',
    'http://user:hunter2@host',
    'nats://user:hunt/er2@host:4222',
    'nats://u:hunter2@a,nats://u:hunter2@b:x',
    'http://host?token=hunter2',
  ])('the password in %j is never shown either', (servers) => {
    const problem = problemsOf({ SERVERS: servers })['SERVERS'];
    expect(problem).toMatch(/ is not a comma-separated list/);
    expect(problem).not.toMatch(/hun|ter2/);
  });
});

describe('the configuration that the apps share', () => {
  test('has the documented defaults', () => {
    expect(parseConfig({ ...commonConfig, opsPort: opsPort(8081) }, {})).toEqual({
      ...parseConfig(tracingConfig, {}),
      natsUrls: ['nats://127.0.0.1:4222'],
      natsCredentialsFile: undefined,
      natsUser: undefined,
      natsPassword: undefined,
      natsToken: undefined,
      natsInboxPrefix: '_INBOX',
      natsTlsCaFile: undefined,
      functionsFile: undefined,
      streamReplicas: 1,
      logLevel: 'info',
      logFormat: 'json',
      shutdownTimeoutMs: 30_000,
      allowedHosts: [],
      opsHost: undefined,
      opsPort: 8081,
    });
  });

  test('refuses unknown values', () => {
    const env = { LOG_LEVEL: 'loud', LOG_FORMAT: 'xml', STREAM_REPLICAS: '6', OPS_PORT: '70000', NATS_URL: 'http://a' };
    expect(Object.keys(problemsOf(env, { ...commonConfig, opsPort: opsPort(8081) })).sort()).toEqual(
      Object.keys(env).sort(),
    );
  });
});
