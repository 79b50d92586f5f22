import { createServer } from 'node:http';
import { createLogger } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { type GatewayParts, stopGateway } from './stop.ts';

const logger = createLogger({ name: 'gateway', level: 'silent', format: 'json' });
const limits = { shutdownTimeoutMs: 20, publishTimeoutMs: 20 };

/** Parts that write down who was stopped when. */
function recordedParts(overrides: Partial<GatewayParts> = {}) {
  const order: string[] = [];
  const note = (name: string) => async () => void order.push(name);
  const server = Object.assign(createServer(), { closeAllConnections: () => void order.push('cut connections') });
  const parts = {
    app: { close: note('app'), server },
    receipts: { flush: note('receipts') },
    publisher: { flush: note('publisher') },
    broker: { stop: note('broker') },
    tracing: { stop: note('tracing') },
    ops: { stop: note('ops') },
    ...overrides,
  } as unknown as GatewayParts;
  return { order, parts, server };
}

test('a stop closes the way in, then what is behind it, and the probes last', async () => {
  const { order, parts } = recordedParts();
  await stopGateway(parts, limits, logger);
  expect(order).toEqual(['app', 'receipts', 'publisher', 'broker', 'tracing', 'ops']);
});

test('requests that take too long are cut off, the rest is stopped, and the stop is not clean', async () => {
  const { order, parts, server } = recordedParts();
  const app = { server, close: () => new Promise<never>(() => undefined) } as unknown as GatewayParts['app'];
  await expect(stopGateway({ ...parts, app }, limits, logger)).rejects.toThrow('could not be stopped cleanly');
  expect(order).toEqual(['cut connections', 'receipts', 'publisher', 'broker', 'tracing', 'ops']);
});

test('what fails to stop does not keep the rest from it', async () => {
  const { order, parts } = recordedParts({ publisher: { flush: () => Promise.reject(new Error('lost')) } });
  await expect(stopGateway(parts, limits, logger)).rejects.toThrow('could not be stopped cleanly');
  expect(order).toEqual(['app', 'receipts', 'broker', 'tracing', 'ops']);
});
