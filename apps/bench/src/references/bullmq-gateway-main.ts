import type { AddressInfo } from 'node:net';
import { Queue } from 'bullmq';
import { fastify } from 'fastify';
import { Redis } from 'ioredis';
import type { BullmqSettings } from '../systems/index.ts';
import { createRecord } from './bullmq-record.ts';

/** A call as BullMQ stores it: JSON, hence the body in base64. */
export interface BullmqCall {
  readonly body: string;
  /** The headers of the caller for the function. */
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** The gateway that a team would write with BullMQ in an afternoon: fastify and `add`. */
const settings = JSON.parse(process.argv[2] ?? '') as BullmqSettings;
const record = createRecord(settings, 'accepted');
const isEqual = settings.scope === 'equal';
const queue = new Queue<BullmqCall>(settings.queue, {
  connection: new Redis({ path: settings.socket, maxRetriesPerRequest: null }),
});
const options = {
  removeOnComplete: isEqual ? { age: 3_600 } : true,
  attempts: 11,
  backoff: { type: 'exponential', delay: 10_000 },
};

const app = fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
app.post<{ Params: { name: string } }>('/async-function/:name', async (request, reply) => {
  const { name } = request.params;
  const body = request.body instanceof Buffer ? request.body.toString('base64') : '';
  const job = await queue.add(name, { body, ...(isEqual && { headers: request.headers }) }, options);
  reply.code(202).header('X-Call-Id', job.id).send({ callId: job.id, function: name, status: 'queued' });
  record.note({ id: job.id ?? '', name, code: 202, seconds: reply.elapsedTime / 1_000 });
});
await app.listen({ port: 0, host: '127.0.0.1' });
process.stdout.write(`${JSON.stringify({ port: (app.server.address() as AddressInfo).port })}\n`);
