import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import {
  type CallCanceller,
  type CallFinder,
  type CallPurge,
  createCallControl,
  serveRunningCalls,
} from '@asyncfn/queue-core/jetstream';
import { eventually, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { expect, inject } from 'vitest';
import type { Pass } from '../src/limiter/lane-gate.ts';
import { type SettlingBench, startBench } from './settling-bench.ts';

type Status = 'scheduled' | 'queued' | 'retrying' | 'succeeded' | 'failed' | 'cancelled' | 'expired';

/** The states of waiting calls. */
export const waiting: readonly Status[] = ['scheduled', 'queued', 'retrying'];

/** The state of a call as an observer of all steps expects it. */
interface ModelCall {
  status: Status;
  replays: number;
  attempts: number;
  /** The `Idempotency-Key` that it came with: its id, and so is its body. */
  readonly isKeyed: boolean;
}

export type Model = Map<string, ModelCall>;

/** A system whose every step a test takes itself, on a nats-server of its own. */
export interface Walk extends AsyncDisposable {
  readonly bench: SettlingBench;
  readonly nats: NatsServer;
  readonly fn: TestFunction;
  readonly finder: CallFinder;
  readonly canceller: CallCanceller;
  readonly purge: CallPurge;
}

export interface WalkOptions {
  /** Whether the worker hears that a call was cancelled. Default true. */
  readonly hears?: boolean;
}

export async function startWalk({ hears = true }: WalkOptions = {}): Promise<Walk> {
  const nats = await startNatsServer({ bin: inject('natsServerBin') });
  const fn = await startTestFunction();
  const bench = await startBench({ natsUrl: nats.url, functionUrl: fn.url, ackWaitMs: 5_000 });
  if (hears) {
    serveRunningCalls(bench.broker, bench.held);
  }
  bench.endExpired();
  const { broker, topology, publisher, store, flows } = bench;
  const { finder, canceller, purge } = createCallControl({
    broker,
    topology,
    publisher,
    calls: store,
    flows,
    resultTtlMs: 3_600_000,
    maxRetries: () => 10,
  });
  return {
    bench,
    nats,
    fn,
    finder,
    canceller,
    purge,
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]();
      await fn[Symbol.asyncDispose]();
      await nats.stop();
    },
  };
}

/** So many other calls are at the function. */
export async function occupy({ bench }: Walk, count: number): Promise<Pass[]> {
  const passes: Pass[] = [];
  for (let sent = 0; sent < count; sent++) {
    const pass = await bench.gate.enter();
    passes.push(...(pass === undefined ? [] : [pass]));
  }
  return passes;
}

/** Checks that state and queue agree with the model. */
export async function agree(model: Model, { finder, bench }: Walk): Promise<void> {
  for (const [callId, { status, replays, attempts }] of model) {
    const standing = await finder.find({ callId });
    const seen =
      standing?.kind === 'active'
        ? { status: standing.phase, replays: standing.call.generation ?? 0, attempts: standing.call.retry }
        : standing && {
            status: standing.outcome.status,
            replays: standing.outcome.generation,
            attempts: standing.outcome.attempts,
          };
    expect({ callId, ...seen }).toEqual({ callId, status, replays, attempts });
  }
  const alive = withStatus(model, ...waiting).length;
  // A key is stored beside the calls of its queue, and outlives its own.
  const keys = [...model.values()].filter(({ isKeyed }) => isKeyed).length;
  const { target, topology } = bench;
  const stored = async (): Promise<number> =>
    (await topology.manager.streams.info(`CALLS_${target.queue}`)).state.messages;
  // Acks are not confirmed: the last one may be on its way.
  await eventually(async () => (await stored()) === alive + keys, {
    message: `the queue does not come to hold ${alive} calls and ${keys} keys`,
  });
}

/** The calls that have this status, in their order. */
export function withStatus(model: Readonly<Model>, ...statuses: Status[]): string[] {
  return [...model].filter(([, { status }]) => statuses.includes(status)).map(([callId]) => callId);
}
