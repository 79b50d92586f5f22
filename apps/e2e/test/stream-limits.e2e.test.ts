import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import { echo, gate, type RecordedRequest, startTestFunction, status } from '@asyncfn/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { quick, useEverything } from './harness/use-everything.ts';

const mebibyte = 1024 * 1024;
const kibibyte = 1024;

/** A server whose only account has these limits. */
function accountWith(jetstream: string): string {
  const account = `app { jetstream { ${jetstream} }, users: [{ user: app, password: pw }] }`;
  return `accounts { ${account} }\nno_auth_user: app`;
}

/** The most bytes of each stream. */
async function limitsOf({ nats }: Stack): Promise<Record<string, number>> {
  await using connection = await connect({ servers: nats.url });
  const limits: Record<string, number> = {};
  for await (const { config } of (await jetstreamManager(connection)).streams.list()) {
    limits[config.name] = config.max_bytes;
  }
  return limits;
}

describe('in an account that requires max_bytes', () => {
  test('everything works with STREAM_MAX_BYTES, and each stream has its own', async () => {
    await using stack = await startStack({
      functions: {},
      natsConfig: accountWith('max_file: 500MB, max_bytes_required: true'),
      env: { STREAM_MAX_BYTES: '16MiB,CALLS_default=64MiB,OUTCOMES=32MiB', ...quick },
    });
    await useEverything(stack);
    const { CALLS_default: calls, OUTCOMES: outcomes, ...others } = await limitsOf(stack);
    expect([calls, outcomes]).toEqual([64 * mebibyte, 32 * mebibyte]);
    expect(Object.keys(others)).toEqual(expect.arrayContaining(['CALLBACKS', 'DEAD_LETTERS', 'KV_FUNCTIONS']));
    expect(new Set(Object.values(others))).toEqual(new Set([16 * mebibyte]));
    expect(await stack.untilAudited()).toBe(0);
  });

  test('a start ends with a line that says so if the account has no room for them', async () => {
    await using stack = await startStack({
      functions: {},
      gateways: 0,
      workers: 0,
      natsConfig: accountWith('max_file: 50MB, max_bytes_required: true'),
    });
    const child = await stack.spawn('worker', { STREAM_MAX_BYTES: '20MiB' });
    expect(await child.ended()).toEqual({ code: 1, signal: null });
    expect(child.output.filter((line) => line.includes('"fatal"'))).toEqual([
      expect.stringMatching(/no room to reserve for STREAM_MAX_BYTES: lower it, or give the account more/),
    ]);
  });
});

describe('a queue whose stream is limited', () => {
  test('drops nothing: new calls are refused in time, and retries of existing calls have room', async () => {
    const once = status(503, { times: 1 });
    const isTried = ({ callId = '' }: RecordedRequest): boolean => /[0-3]$/.test(callId);
    const busy = gate((request, response) => (isTried(request) ? once(request, response) : echo(request, response)));
    await using slow = await startTestFunction({ handler: busy.handler });
    await using stack = await startStack({
      functions: { slow: { url: slow.url, retry: { attempts: 100, minWait: '200ms', maxWait: '200ms' } } },
      gateways: 2,
      natsConfig: accountWith('max_file: 500MB, max_bytes_required: true'),
      env: { STREAM_MAX_BYTES: '16MiB,CALLS_default=32MiB', MAX_INFLIGHT: '10' },
    });
    const clients = stack.gateways.map(({ url }) => new ApiClient(url));
    const body = Buffer.alloc(200 * kibibyte);
    const accepted: string[] = [];
    const refusals: unknown[] = [];
    await Promise.all(
      clients.map(async (client) => {
        while (refusals.filter((code) => code === 'queue_full').length < 10) {
          const answer = await client.call('slow', { body });
          if (answer.status === 202) {
            accepted.push(answer.callId);
          } else {
            refusals.push(answer.code);
            await sleep(50); // like a caller that honours Retry-After, and faster
          }
        }
      }),
    );
    expect(new Set(refusals)).toEqual(new Set(['overloaded', 'queue_full']));
    // Two fifths of the stream are for new calls.
    expect(accepted.length * body.length).toBeGreaterThan(11 * mebibyte);
    expect(accepted.length * body.length).toBeLessThan(16 * mebibyte);
    busy.open();
    await stack.untilSettled();
    await using calls = new CallClient(stack.gateway.url);
    const ends = await Promise.all(accepted.map(async (id) => (await calls.state(id)).status));
    expect(new Set(ends)).toEqual(new Set(['succeeded']));
    expect(slow.invocations.length).toBeGreaterThan(accepted.length);
    expect(await stack.untilAudited()).toBe(0);
  });
});
