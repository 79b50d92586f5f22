import { parseConfig } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { localSchema, resolvePorts } from './config.ts';

const portsOf = (env: Record<string, string>) => resolvePorts(parseConfig(localSchema, env));

test('the ports are the documented ones', () => {
  expect(portsOf({})).toEqual({
    gateway: 8080,
    gatewayOps: 8082,
    workerOps: 8081,
    inbox: 8090,
    functions: 8091,
    nats: 0,
  });
});

test('a free port for the gateway means free ports for all that are not set', () => {
  expect(portsOf({ PORT: '0', INBOX_PORT: '9090' })).toEqual({
    gateway: 0,
    gatewayOps: 0,
    workerOps: 0,
    inbox: 9090,
    functions: 0,
    nats: 0,
  });
});

test('a free operations port is for both operations servers', () => {
  expect(portsOf({ OPS_PORT: '0' })).toMatchObject({ gateway: 8080, gatewayOps: 0, workerOps: 0, inbox: 8090 });
  expect(portsOf({ OPS_PORT: '0', WORKER_OPS_PORT: '9081' })).toMatchObject({ gatewayOps: 0, workerOps: 9081 });
});

test('a bad port is refused', () => {
  expect(() => portsOf({ PORT: '70000', INBOX_PORT: 'x' })).toThrow(/PORT: .*\nINBOX_PORT: /);
});
