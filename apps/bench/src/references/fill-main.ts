import type { Call } from '@asyncfn/queue-core';
import { FunctionRegister } from '@asyncfn/queue-core/functions';
import { Broker, CallQueue, Publisher, QueueTopology } from '@asyncfn/queue-core/jetstream';
import { type FillSettings, numberedCallId } from '../systems/index.ts';

/**
 * Stores calls in the same way as a gateway, with many of them unconfirmed at a time, so that a million takes a minute.
 */
const settings = JSON.parse(process.argv[2] ?? '') as FillSettings;
const senders = 512;
const quiet = { info() {}, warn() {}, error() {} };
const onFatal = (error: Error): never => {
  throw error;
};

const broker = new Broker({ servers: [settings.natsUrl], name: 'bench', logger: quiet, onFatal });
const topology = new QueueTopology(broker, {
  replicas: 1,
  ackWaitMs: 30_000,
  ownsLanes: false,
  queues: () => ['default'],
  logger: quiet,
  onFatal,
});
const publisher = new Publisher(broker, { timeoutMs: 30_000 });
const queue = new CallQueue({ broker, topology, publisher, register: new FunctionRegister() });
const ready = new Promise<void>((resolve) => topology.onReady(() => resolve()));
broker.start();
await ready;

const body = new Uint8Array(settings.bodyBytes).fill(120);
let next = settings.from;
await Promise.all(Array.from({ length: senders }, send));
process.stdout.write('{}\n', () => process.exit(0));

async function send(): Promise<void> {
  while (next < settings.from + settings.count) {
    const result = await queue.accept(toCall(next++), { unique: false });
    if (result.kind !== 'stored') {
      throw new Error(`a call was not stored: ${JSON.stringify(result)}`);
    }
  }
}

/** The call that the gateway makes of a request of the load generator. */
function toCall(number: number): Call {
  return {
    id: numberedCallId(number),
    function: settings.function,
    queue: 'default',
    path: '',
    query: '',
    headers: [
      ['User-Agent', 'asyncfn-bench'],
      ['Content-Type', 'application/octet-stream'],
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-Forwarded-Host', 'bench'],
      ['X-Forwarded-Proto', 'http'],
    ],
    startTime: `${Date.now()}000000`,
    retry: 0,
    body,
  };
}
