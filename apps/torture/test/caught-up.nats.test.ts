import { setTimeout as delay } from 'node:timers/promises';
import type {} from '@asyncfn/nats-server/vitest';
import { type Node, startFleet } from '@asyncfn/stack';
import { eventually } from '@asyncfn/testkit';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, inject, onTestFinished, test } from 'vitest';
import { untilCaughtUp } from '../src/faults/health.ts';

const stream = 'KEPT';
const missed = 20;

/** The number of messages of the stream that a server holds. */
async function held({ server }: Node): Promise<number | undefined> {
  const answer = await fetch(`${server.monitorUrl}/jsz?streams=true`);
  const { account_details: accounts } = (await answer.json()) as {
    readonly account_details: { readonly stream_detail: { name: string; state: { messages: number } }[] }[];
  };
  return accounts[0]?.stream_detail.find(({ name }) => name === stream)?.state.messages;
}

test('a server that was isolated has caught up once it holds what the others have stored meanwhile', async () => {
  await using fleet = await startFleet({
    natsServerBin: inject('natsServerBin'),
    nodes: 3,
    gateways: 0,
    workers: 0,
    functions: {},
  });
  const { nodes } = fleet;
  const [connected, ...others] = nodes as [Node, Node, Node];
  const connection = await connect({ servers: connected.server.url, ignoreClusterUpdates: true });
  onTestFinished(() => connection.close());
  const manager = await eventually(() => jetstreamManager(connection));
  await eventually(() => manager.streams.add({ name: stream, subjects: ['kept'], num_replicas: 3 }));
  await untilCaughtUp(nodes);

  const { cluster } = await manager.streams.info(stream);
  const isolated = others.find(({ name }) => name !== cluster?.leader)!;
  for (const link of isolated.links) {
    link.stall();
  }
  for (let sent = 0; sent < missed; sent += 1) {
    await eventually(() => jetstream(connection).publish('kept', '', { msgID: `${sent}` }), { timeoutMs: 60_000 });
  }
  let isOver = false;
  const caughtUp = untilCaughtUp(nodes).then(() => {
    isOver = true;
  });
  await delay(500);
  expect([isOver, await held(isolated)]).toEqual([false, 0]);
  for (const link of isolated.links) {
    link.heal();
  }
  await caughtUp;
  expect(await held(isolated)).toBe(missed);
});
