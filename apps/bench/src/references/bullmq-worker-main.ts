import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Pool } from 'undici';
import type { BullmqWorkerSettings } from '../systems/index.ts';

/** A BullMQ worker that calls the function. */
const { socket, queue, functionUrl, slots } = JSON.parse(process.argv[2] ?? '') as BullmqWorkerSettings;
const pool = new Pool(functionUrl, { connections: slots, pipelining: 1 });
const worker = new Worker<{ body: string }>(
  queue,
  async ({ data }) => {
    const { statusCode, body } = await pool.request({
      path: '/',
      method: 'POST',
      body: Buffer.from(data.body, 'base64'),
    });
    await body.dump();
    if (statusCode >= 400) {
      throw new Error(`the function answered ${statusCode}`);
    }
  },
  { connection: new Redis({ path: socket, maxRetriesPerRequest: null }), concurrency: slots },
);
await worker.waitUntilReady();
process.stdout.write('{}\n');
