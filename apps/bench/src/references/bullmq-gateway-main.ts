import type { AddressInfo } from 'node:net';
import { Queue } from 'bullmq';
import { fastify } from 'fastify';
import { Redis } from 'ioredis';
import type { BullmqSettings } from '../systems/index.ts';

/** What a team would write with BullMQ in an afternoon: fastify and `add`. */
const { socket, queue: name } = JSON.parse(process.argv[2] ?? '') as BullmqSettings;
const queue = new Queue<{ body: string }>(name, {
  connection: new Redis({ path: socket, maxRetriesPerRequest: null }),
});
const options = { removeOnComplete: true, attempts: 11, backoff: { type: 'exponential', delay: 10_000 } };

const app = fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
app.post<{ Params: { name: string } }>('/async-function/:name', async (request, reply) => {
  const body = request.body instanceof Buffer ? request.body.toString('base64') : '';
  const job = await queue.add(request.params.name, { body }, options);
  reply.code(202).header('X-Call-Id', job.id).send({ callId: job.id, function: request.params.name, status: 'queued' });
});
await app.listen({ port: 0, host: '127.0.0.1' });
process.stdout.write(`${JSON.stringify({ port: (app.server.address() as AddressInfo).port })}\n`);
