import { describe, expect, test } from 'vitest';
import { findMisspelt } from './misspelt.ts';
import { settingNames } from './setting-names.ts';

describe('a variable that is no setting', () => {
  test.for([
    ['MAX_INFLIHGT', 'MAX_INFLIGHT'],
    ['MAX_IN_FLIGHT', 'MAX_INFLIGHT'],
    ['RETRY_ATTEMPT', 'RETRY_ATTEMPTS'],
    ['RETRY_MINWAIT', 'RETRY_MIN_WAIT'],
    ['NATS_URLS', 'NATS_URL'],
    ['nats_url', 'NATS_URL'],
    ['STREAM_REPLICATION', 'STREAM_REPLICAS'],
    ['STREAMS_REPLICAS', 'STREAM_REPLICAS'],
    ['AUTH_TOKEN', 'AUTH_TOKENS_FILE'],
    ['CALLBACK_SECRETS', 'CALLBACK_SIGNING_SECRETS'],
    ['FUNCTION_FILE', 'FUNCTIONS_FILE'],
    ['QUEUE', 'QUEUES'],
    ['RESULTS_TTL', 'RESULT_TTL'],
    ['SHUTDOWN_TIMEUOT', 'SHUTDOWN_TIMEOUT'],
    ['LOGLEVEL', 'LOG_LEVEL'],
  ])('%s is told with the nearest name, %s', ([variable, nearest]) => {
    expect(findMisspelt({ [variable!]: 'some value' })).toEqual([{ variable, nearest }]);
  });
});

test('variables of other software are ignored', () => {
  const others = {
    PATH: '/bin',
    HOME: '/root',
    HOSTNAME: 'gateway-7f9c',
    NODE_OPTIONS: '--max-old-space-size=512',
    NODE_VERSION: '20.20.0',
    OTEL_LOG_LEVEL: 'debug',
    API_PORT: '80',
    DB_HOST: 'db',
    THUMBNAIL_URL: 'http://thumbnail:8080',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
    NATS_SERVICE_HOST: '10.0.0.7',
    NATS_SERVICE_PORT_CLIENT: '4222',
    NATS_PORT: 'tcp://10.0.0.7:4222',
    NATS_PORT_4222_TCP_ADDR: '10.0.0.7',
    QUEUE_PORT: 'tcp://10.0.0.8:80',
  };
  expect(findMisspelt(others)).toEqual([]);
});

test('settings of any process are known, and an empty variable does not count', () => {
  expect(findMisspelt(Object.fromEntries(settingNames.map((name) => [name, 'x'])))).toEqual([]);
  expect(findMisspelt({ MAX_INFLIHGT: '', RETRY_X: undefined })).toEqual([]);
});
