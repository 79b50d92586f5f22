import { setTimeout as delay } from 'node:timers/promises';
import { connect, createInbox } from '@nats-io/transport-node';
import type { LoadResult } from '../load/index.ts';
import { cpuMicros } from '../processes/index.ts';
import { percentile } from '../statistics.ts';
import type { BrokerLoad } from '../systems/index.ts';

/** Publishes to JetStream with a fixed number of unconfirmed messages: the limit of the broker itself. */
const { natsUrl, subject, inFlight, bodyBytes, warmUpMs, durationMs, brokerPid } = JSON.parse(
  process.argv[2] ?? '',
) as BrokerLoad;
const connection = await connect({ servers: natsUrl, noAsyncTraces: true });
const inbox = createInbox();
const body = new Uint8Array(bodyBytes);
const sentAt = new Float64Array(inFlight);
const latencies: number[] = [];
let free: number[] = [];
let sent = 0;
let isOver = false;
let isCounting = false;

connection.subscribe(`${inbox}.*`, {
  callback(_, message) {
    const slot = Number(message.subject.slice(inbox.length + 1));
    if (isCounting) {
      latencies.push(performance.now() - (sentAt[slot] ?? 0));
    }
    if (free.push(slot) === 1) {
      setImmediate(sendAll);
    }
  },
});
free = Array.from({ length: inFlight }, (_, slot) => slot);
sendAll();
await delay(warmUpMs);
const cpuBefore = await cpuMicros(brokerPid);
const startedAt = performance.now();
isCounting = true;
await delay(durationMs);
isCounting = false;
const seconds = (performance.now() - startedAt) / 1000;
const cpuAfter = await cpuMicros(brokerPid);
isOver = true;
await connection.drain();
const result: LoadResult = {
  accepted: latencies.length,
  total: sent,
  refused: 0,
  seconds,
  p50Ms: percentile(latencies, 0.5),
  p99Ms: percentile(latencies, 0.99),
  cpuMicros: { broker: cpuAfter === undefined || cpuBefore === undefined ? null : cpuAfter - cpuBefore },
};
process.stdout.write(`${JSON.stringify(result)}\n`);

function sendAll(): void {
  const slots = free;
  free = [];
  for (const slot of isOver ? [] : slots) {
    sent += 1;
    sentAt[slot] = performance.now();
    connection.publish(`${subject}.${sent}`, body, { reply: `${inbox}.${slot}` });
  }
}
