import { eventually } from '@asyncfn/testkit';
import { AckPolicy } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { followCreatedLanes, type LaneId } from '../src/jetstream/index.ts';
import { connected, createBroker, startServer } from './connected.ts';
import { buildCall, openManager, startGatewaySide } from './harness.ts';

test('a worker learns at once of a function that a gateway opens, even after an outage, once each time', async () => {
  await using server = await startServer();
  await using test = createBroker(server.url);
  const created: LaneId[] = [];
  followCreatedLanes(test.broker, (lane) => created.push(lane));
  test.broker.start();
  await connected(test.broker);
  await test.broker.connection?.flush();
  await using gateway = await startGatewaySide(server.url);
  await gateway.queue.accept(buildCall('images', { function: 'thumbnail.prod' }), { unique: false });
  await eventually(() => created.length > 0);

  await server.restart();
  await eventually(() => test.broker.reconnects === 1);
  // A call may be refused until the gateway has listed the existing consumers.
  const call = buildCall('images', { function: 'resize' });
  await eventually(async () => (await gateway.queue.accept(call, { unique: false })).kind === 'stored');
  await eventually(() => created.length > 1);
  expect(created).toEqual([
    { queue: 'images', function: 'thumbnail.prod' },
    { queue: 'images', function: 'resize' },
  ]);
});

test('consumers that are not ours are passed over', async () => {
  await using server = await startServer();
  await using test = createBroker(server.url);
  const created: LaneId[] = [];
  followCreatedLanes(test.broker, (lane) => created.push(lane));
  test.broker.start();
  await connected(test.broker);
  await using look = await openManager(server.url);
  await look.manager.streams.add({ name: 'OTHER', subjects: ['other.*'] });
  await look.manager.consumers.add('OTHER', { durable_name: 'echo', ack_policy: AckPolicy.Explicit });
  await using gateway = await startGatewaySide(server.url);
  await gateway.queue.accept(buildCall('q'), { unique: false });
  await eventually(() => created.length > 0);
  expect(created).toEqual([{ queue: 'q', function: 'echo' }]);
});
