import { eventually } from '@asyncfn/testkit';
import { expect, inject, onTestFinished } from 'vitest';
import { type Call, identityOf, type RunningReport } from '../src/index.ts';
import { CallStore, createCallControl, type Delivery, Publisher, serveRunningCalls } from '../src/jetstream/index.ts';
import { runningReportCodec, signalSubject } from '../src/records/running-call.ts';
import { uniqueQueue } from './connected.ts';
import { buildCall, functionConfig, startGatewaySide, startWorkerSide } from './harness.ts';

/** A gateway that finds and ends calls, and a worker whose calls the test takes and settles itself. */
export async function openFinder({
  resultTtlMs = 3_600_000,
  natsUrl = inject('natsUrl'),
  ackWaitMs = 300_000,
  queue = uniqueQueue(),
  name = 'echo',
} = {}) {
  const lane = { queue, function: name };
  const gateway = await startGatewaySide(natsUrl, { queues: [queue], functions: [functionConfig(name, queue)] });
  const worker = await startWorkerSide(natsUrl, { queues: [queue], ackWaitMs });
  onTestFinished(async () => {
    await gateway[Symbol.asyncDispose]();
    await worker[Symbol.asyncDispose]();
  });
  const { broker, topology, publisher, flows } = gateway;
  const calls = new CallStore(publisher, topology);
  const control = createCallControl({ broker, topology, publisher, calls, flows, resultTtlMs, maxRetries: () => 3 });
  const reports = new Map<string, RunningReport>();
  const cancelled: string[] = [];
  serveRunningCalls(worker.broker, {
    report: ({ callId }) => reports.get(callId),
    cancel({ callId, generation }) {
      cancelled.push(`${callId}/${generation}`);
      return reports.has(callId);
    },
  });
  await worker.broker.connection?.flush();
  await worker.topology.ensureFunction({ name, queue, concurrency: undefined });
  const store = new CallStore(new Publisher(worker.broker), worker.topology);
  return {
    queue,
    lane,
    gateway,
    worker,
    ...control,
    store,
    reports,
    /** Each question about the call gets these answers, each after its time in milliseconds. */
    answer: (call: Call, answers: readonly { readonly report: RunningReport; readonly afterMs: number }[]): void => {
      worker.broker.connection?.subscribe(signalSubject(identityOf(call), 'running'), {
        callback: (_, message) => {
          for (const { report, afterMs } of answers) {
            setTimeout(() => message.respond(runningReportCodec.encode(report)), afterMs);
          }
        },
      });
    },
    /** The calls that workers were told to abort: their ids, each with its generation. */
    cancelled,
    put: async (changes: Partial<Call> = {}): Promise<Call> => {
      const call = buildCall(queue, { function: name, startTime: `${Date.now()}000000`, ...changes });
      expect(await gateway.queue.accept(call, { unique: false })).toMatchObject({ kind: 'stored' });
      return call;
    },
    take: async (): Promise<Delivery> => {
      const before = worker.deliveries.length;
      await eventually(() => {
        // As a worker does: a request that ends without a call, or is lost with its connection, is made again.
        if (worker.deliveries.length === before && worker.source.open(lane) === 0) {
          worker.source.request(lane, 1, 5_000);
        }
        return worker.deliveries.length > before;
      });
      return worker.deliveries[before]!;
    },
    settle: async (delivery: Delivery): Promise<void> => {
      delivery.ack();
      worker.source.flush();
      await worker.broker.connection?.flush();
    },
    /** Messages in the queue. */
    stored: async (): Promise<number> => (await topology.manager.streams.info(`CALLS_${queue}`)).state.messages,
    /** Deliveries that come within a moment. */
    deliveredSoon: async (): Promise<number> => {
      const before = worker.deliveries.length;
      worker.source.request(lane, 10, 500);
      await new Promise((resolve) => setTimeout(resolve, 800));
      return worker.deliveries.length - before;
    },
  };
}

export function reportOf(call: Call, standing: RunningReport['standing']): RunningReport {
  return { v: 1, standing, generation: call.generation ?? 0, retry: call.retry, maxRetries: 3, startedAt: Date.now() };
}
