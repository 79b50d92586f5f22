import { startNatsServer } from '@asyncfn/nats-server';
import { eventually, freePort, startTestFunction } from '@asyncfn/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe, expect, inject, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { post, quick, useEverything } from './harness/use-everything.ts';

/** The streams of a server, requested without a domain. */
async function streamsOf(url: string): Promise<string[]> {
  await using connection = await connect({ servers: url });
  const names: string[] = [];
  for await (const name of (await jetstreamManager(connection)).streams.names()) {
    names.push(name);
  }
  return names;
}

describe('with NATS_DOMAIN', () => {
  test('gateway and worker at a leaf node keep everything in the hub, even after the two were apart', async () => {
    const port = await freePort();
    await using stack = await startStack({
      functions: {},
      gateways: 0,
      workers: 0,
      natsDomain: 'hub',
      natsConfig: `leafnodes { listen: "127.0.0.1:${port}" }`,
      env: { NATS_DOMAIN: 'hub', ...quick },
    });
    await using leaf = await startNatsServer({
      bin: inject('natsServerBin'),
      domain: 'leaf',
      config: `leafnodes { reconnect: "1s", remotes: [{ url: "nats://127.0.0.1:${port}" }] }`,
    });
    const atLeaf = { NATS_URL: leaf.url };
    await Promise.all([stack.startGateway(atLeaf), stack.startWorker(atLeaf)]);
    await useEverything(stack);
    expect(await stack.untilAudited()).toBe(0);
    expect(await streamsOf(leaf.url)).toEqual([]);
    expect(await streamsOf(stack.nats.url)).toEqual(expect.arrayContaining(['CALLS_default', 'KV_FUNCTIONS']));

    await stack.nats.restart({ signal: 'SIGKILL' });
    await using echo = await startTestFunction();
    await stack.writeFunctions({ after: echo.url });
    await eventually(async () => (await post(`${stack.gateway.url}/async-function/after`)).status === 202, {
      timeoutMs: 30_000,
    });
    await echo.waitForInvocations(1);
  });

  test('if no server answers for the domain, they wait, and the log says what to check', async () => {
    await using stack = await startStack({ functions: {}, gateways: 0, workers: 0, natsDomain: 'hub' });
    const worker = await stack.spawn('worker', { NATS_DOMAIN: 'hubb' });
    const line = await worker.untilLogged('queue topology is not in place yet');
    expect(JSON.stringify(line)).toMatch(/no JetStream answers for domain hubb at .*: check NATS_DOMAIN/);
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
  });
});
