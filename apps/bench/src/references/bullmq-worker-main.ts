import type { IncomingHttpHeaders } from 'node:http';
import { type Job, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { type Dispatcher, Pool } from 'undici';
import type { BullmqWorkerSettings } from '../systems/index.ts';
import type { BullmqCall } from './bullmq-gateway-main.ts';
import { createRecord } from './bullmq-record.ts';

/** The answer of a function in the form that an `equal` system keeps for an hour. */
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A BullMQ worker that calls the function. */
const settings = JSON.parse(process.argv[2] ?? '') as BullmqWorkerSettings;
const { socket, queue, functionUrl, slots, scope } = settings;
const pool = new Pool(functionUrl, { connections: slots, pipelining: 1 });
const record = createRecord(settings, 'ended');

const worker = new Worker<BullmqCall>(queue, scope === 'equal' ? runAndKeep : run, {
  connection: new Redis({ path: socket, maxRetriesPerRequest: null }),
  concurrency: slots,
});
await worker.waitUntilReady();
process.stdout.write('{}\n');

async function run({ data }: Job<BullmqCall>): Promise<void> {
  const { statusCode, body } = await invoke(data);
  await body.dump();
  checkStatus(statusCode);
}

async function runAndKeep({ data, id = '', name }: Job<BullmqCall>): Promise<Answer> {
  const startedAt = performance.now();
  const { host: _host, connection: _connection, 'content-length': _length, ...headers } = data.headers ?? {};
  const response = await invoke(data, { ...headers, 'x-call-id': id });
  const body = Buffer.from(await response.body.arrayBuffer()).toString('base64');
  record.note({ id, name, code: response.statusCode, seconds: (performance.now() - startedAt) / 1_000 });
  checkStatus(response.statusCode);
  return { status: response.statusCode, headers: response.headers, body };
}

function invoke({ body }: BullmqCall, headers: Record<string, string> = {}): Promise<Dispatcher.ResponseData> {
  return pool.request({ path: '/', method: 'POST', headers, body: Buffer.from(body, 'base64') });
}

function checkStatus(status: number): void {
  if (status >= 400) {
    throw new Error(`the function answered ${status}`);
  }
}
