import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type Dispatcher, Pool } from 'undici';
import type { FloorWorkerSettings } from '../systems/index.ts';

/**
 * The least that could run calls on Node: bare `consumer.fetch`, `undici.dispatch` and an ack. It stores no result, has
 * no retries, renews no lease, and neither logs nor counts.
 */
const {
  natsUrl,
  stream,
  consumer: name,
  functionUrl,
  slots,
} = JSON.parse(process.argv[2] ?? '') as FloorWorkerSettings;
const connection = await connect({ servers: natsUrl, noAsyncTraces: true });
const consumer = await jetstream(connection).consumers.get(stream, name);
const pool = new Pool(functionUrl, { connections: slots, pipelining: 1 });
process.stdout.write('{}\n');

let running = 0;
let wake: () => void = () => {};

for (;;) {
  while (running >= slots) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    // All calls that end in one tick of the event loop are requested at once.
    await new Promise((resolve) => setImmediate(resolve));
  }
  for await (const message of await consumer.fetch({ max_messages: slots - running, expires: 1_000 })) {
    running += 1;
    invoke(message.data, () => {
      message.ack();
      running -= 1;
      wake();
    });
  }
}

function invoke(body: Uint8Array, done: () => void): void {
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart() {},
    onResponseStart() {},
    onResponseData() {},
    onResponseEnd: done,
    onResponseError: done,
  };
  pool.dispatch({ path: '/', method: 'POST', body }, handler);
}
