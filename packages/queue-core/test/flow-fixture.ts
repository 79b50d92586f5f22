import { expect, inject } from 'vitest';
import { type Call, createCallId } from '../src/index.ts';
import { Flows } from '../src/jetstream/index.ts';
import type { Outgoing } from '../src/jetstream/publish/index.ts';
import type { PublishResult } from '../src/publish-result.ts';
import { uniqueQueue } from './connected.ts';
import { buildCall, functionConfig, type GatewaySide, openManager, startGatewaySide } from './harness.ts';

export interface Key extends AsyncDisposable {
  readonly gateway: GatewaySide;
  readonly queue: string;
  accept(count: number, changes?: Partial<Call>): Promise<Call[]>;
  /** The calls that are ready or running, and those that wait, by id, in the order of the stream. */
  places(): Promise<{ ready: string[]; waiting: string[] }>;
  /** Messages about the key besides its calls. */
  records(): Promise<string[]>;
  /** What a worker does with a call that has ended: its turn ends, and then it leaves its queue. */
  end(call: Call): Promise<void>;
}

/** A key of the function `echo` in a queue of its own. */
export async function openKey(settings: { parallelism?: number; natsUrl?: string } = {}): Promise<Key> {
  const queue = uniqueQueue();
  const { parallelism, natsUrl = inject('natsUrl') } = settings;
  const config = { ...functionConfig('echo', queue), ...(parallelism !== undefined && { flow: { parallelism } }) };
  const gateway = await startGatewaySide(natsUrl, { queues: [queue], functions: [config] });
  const look = await openManager(natsUrl);
  const stream = `CALLS_${queue}`;
  const subjects = async (): Promise<string[][]> => {
    const { state } = await look.manager.streams.info(stream, { subjects_filter: '>' });
    return Object.keys(state.subjects ?? {}).map((subject) => subject.split('.'));
  };
  return {
    gateway,
    queue,
    async accept(count, changes = {}) {
      const calls = Array.from({ length: count }, (_, n) =>
        buildCall(queue, { id: `${n}-${createCallId()}`, flow: { key: 'order' }, ...changes }),
      );
      for (const call of calls) {
        expect(await gateway.queue.accept(call, { unique: false })).toMatchObject({ kind: 'stored' });
      }
      return calls;
    },
    async places() {
      const found = (await subjects()).filter((tokens) => tokens.length === 8);
      const idsOf = (isReady: boolean) =>
        found.filter((tokens) => (tokens[2] === 'ready') === isReady).map((tokens) => tokens[5] ?? '');
      const ready = idsOf(true);
      return {
        ready: ready.toSorted(),
        waiting: idsOf(false)
          .filter((id) => !ready.includes(id))
          .toSorted(),
      };
    },
    records: async () => (await subjects()).filter((tokens) => tokens.length === 4).map((tokens) => tokens[2] ?? ''),
    async end(call) {
      expect(await gateway.flows.ended(call)).toEqual({ kind: 'done' });
      await look.manager.streams.purge(stream, { filter: `calls.${queue}.ready.~.echo.${call.id}.*.*` });
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await look[Symbol.asyncDispose]();
    },
  };
}

/** The turns of a process whose messages take this way to the broker. */
export function flowsBehind(
  { gateway }: Key,
  publish: (message: Outgoing, real: (message: Outgoing) => Promise<PublishResult>) => Promise<PublishResult>,
): Flows {
  const { topology, publisher, broker, logger } = gateway;
  return new Flows({
    topology,
    publisher: { publish: (message) => publish(message, (each) => publisher.publish(each)) },
    lookup: () => undefined,
    earliest: broker.clock.earliest,
    logger,
  });
}

/** Whether a message makes a call ready. */
export function isReady({ subject }: Outgoing): boolean {
  return subject.split('.')[2] === 'ready';
}
