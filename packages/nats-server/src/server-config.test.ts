import { expect, test } from 'vitest';
import { type ServerConfig, toServerConfig } from './server-config.ts';

const MINIMAL: ServerConfig = {
  host: '127.0.0.1',
  port: 0,
  portsDir: '/run/x',
  maxPayload: 1024,
  monitor: false,
  extra: '',
};

test('port 0 lets the server choose', () => {
  expect(toServerConfig(MINIMAL)).toContain('listen: "127.0.0.1:-1"\n');
  expect(toServerConfig({ ...MINIMAL, port: 4222 })).toContain('listen: "127.0.0.1:4222"\n');
});

test('options that are not set are not written', () => {
  expect(toServerConfig(MINIMAL)).not.toMatch(/jetstream|http|server_name|sync_interval/);
});

test('all options are written, and text of the caller comes last', () => {
  const config = {
    ...MINIMAL,
    storeDir: '/a "b"',
    syncInterval: 'always',
    domain: 'hub',
    name: 'n1',
    monitor: true,
    extra: 'debug: true',
  };
  expect(toServerConfig(config).split('\n').slice(3)).toEqual([
    'server_name: "n1"',
    'http: "127.0.0.1:-1"',
    'jetstream { store_dir: "/a \\"b\\"", sync_interval: "always", domain: "hub" }',
    'debug: true',
    '',
  ]);
});
