import { eventually } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { QueueTopology, StreamWatch } from '../src/jetstream/index.ts';
import { createBroker, startServer } from './connected.ts';
import { openManager } from './harness.ts';

const gone = 'a stream is gone, and its messages are lost';

/** A process that watches its streams, on a server of its own. */
async function startWatching() {
  const server = await startServer();
  const test = createBroker(server.url);
  const topology = new QueueTopology(test.broker, {
    replicas: 1,
    ackWaitMs: 30_000,
    ownsLanes: false,
    queues: () => ['default', 'idle'],
    logger: test.logger,
    onFatal: (error) => void test.fatal.push(error),
  });
  const watch = new StreamWatch(topology, test.logger);
  const lost: string[] = [];
  watch.onLost((stream) => lost.push(stream));
  test.broker.start();
  await eventually(() => topology.ready);
  const told = (message: string) =>
    test.logger.lines.filter((line) => line.message === message).map(({ level, fields }) => ({ level, ...fields }));
  return {
    server,
    topology,
    watch,
    lost,
    told,
    async [Symbol.asyncDispose]() {
      await test.broker.stop();
      await server.stop();
    },
  };
}

test('a complete set of streams logs nothing', async () => {
  await using side = await startWatching();
  await side.watch.refresh();
  await side.server.restart();
  await eventually(() => side.topology.ready);
  await side.watch.refresh();
  expect([side.watch.lost, side.lost]).toEqual([0, []]);
});

test('the loss of a stream with content is logged as an error, and the stream is created again', async () => {
  await using side = await startWatching();
  await using look = await openManager(side.server.url);
  await look.manager.jetstream().publish('calls.default.ready.~.echo.c-1.~.1', 'body');
  await side.watch.refresh();
  await look.manager.streams.delete('CALLS_default');
  await look.manager.streams.delete('CALLS_idle');
  await side.watch.refresh();
  await side.watch.refresh();
  expect(side.told(gone)).toEqual([{ level: 'error', stream: 'CALLS_default', held: 1 }]);
  expect(side.told('an empty stream is gone')).toEqual([{ level: 'warn', stream: 'CALLS_idle', held: 0 }]);
  expect([side.watch.lost, side.lost.toSorted()]).toEqual([1, ['CALLS_default', 'CALLS_idle']]);
  expect((await look.manager.streams.info('CALLS_default')).state.messages).toBe(0);
});

test('streams that another process has created again meanwhile still count as lost', async () => {
  await using side = await startWatching();
  await using look = await openManager(side.server.url);
  await look.manager.jetstream().publish('outcomes.~.c-1.1.0', '');
  await side.watch.refresh();
  const { config } = await look.manager.streams.info('OUTCOMES');
  await look.manager.streams.delete('OUTCOMES');
  await look.manager.streams.add(config);
  await side.watch.refresh();
  expect(side.told(gone)).toEqual([{ level: 'error', stream: 'OUTCOMES', held: 1 }]);
});
