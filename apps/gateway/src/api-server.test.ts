import { createServer } from 'node:http';
import { composeService, createLogger } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { createApiComponent } from './api-server.ts';

const logger = createLogger({ name: 'gateway', level: 'silent', format: 'json' });
const listening = { host: '127.0.0.1', port: 0, shutdownTimeoutMs: 20 };

/** An API whose closing is `close`, with a component before it. */
function setUp(close: () => Promise<undefined>) {
  const order: string[] = [];
  const server = Object.assign(createServer(), { closeAllConnections: () => void order.push('cut connections') });
  const listen = async (): Promise<string> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return '';
  };
  const app = { server, listen, close } as unknown as Parameters<typeof createApiComponent>[0];
  const before = {
    name: 'broker',
    stop: { name: 'close broker', timeoutMs: 60_000, run: () => void order.push('broker') },
  };
  const options = { name: 'the gateway', logger };
  const service = composeService([before, createApiComponent(app, listening, logger)], options);
  return { order, service, [Symbol.asyncDispose]: async () => void server.close() };
}

test('a stop waits for the requests in flight before the components that they need stop', async () => {
  let answered = (): void => {};
  const closed = new Promise<undefined>((resolve) => {
    answered = () => resolve(undefined);
  });
  await using api = setUp(() => closed);
  await api.service.start();
  const stopped = api.service.stop();
  await new Promise(setImmediate);
  expect(api.order).toEqual([]);
  answered();
  await stopped;
  expect(api.order).toEqual(['broker']);
});

test('requests that take too long are cut off, the rest is stopped, and the stop is not clean', async () => {
  await using api = setUp(() => new Promise<never>(() => undefined));
  await api.service.start();
  await expect(api.service.stop()).rejects.toThrow('the gateway did not stop cleanly: api (finish requests)');
  expect(api.order).toEqual(['cut connections', 'broker']);
});
