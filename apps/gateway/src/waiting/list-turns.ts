import { FairTurns } from '@asyncfn/queue-core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { callerOf } from '../auth/index.ts';
import { refuseFlood } from './refuse-flood.ts';

/** Lists that are made at once: one may have the broker look at thousands of messages. */
const max = 8;
/** Of these, those of one token. */
const maxPerSubmitter = 4;
/** A list that has not begun by then is refused, in milliseconds. */
const longestWaitMs = 10_000;

/** What lists wait for: they have turns of their own, so that no look for a single call waits for one. */
export function createListTurns(): FairTurns {
  return new FairTurns({ max, maxPerSubmitter, waitMs: longestWaitMs });
}

/** Has the `GET` requests of the routes that are registered after it take turns between submitters. */
export function takeTurns(app: FastifyInstance, turns: FairTurns): void {
  const ends = new WeakMap<FastifyRequest, () => void>();
  app.addHook('preHandler', async (request, reply) => {
    if (request.method !== 'GET') {
      return;
    }
    const caller = callerOf(request);
    const flood = refuseFlood(turns, caller);
    if (flood !== undefined) {
      return reply.refuse(flood);
    }
    await new Promise<void>((resolve, reject) => {
      const list = (): Promise<void> => {
        resolve();
        return new Promise((end) => {
          ends.set(request, end);
          // Should its client be gone, nothing may be sent.
          reply.raw.once('close', end);
        });
      };
      turns.run(list, caller.name).catch(reject);
    });
  });
  // What is sent to a client that reads slowly has been made.
  app.addHook('onSend', async (request) => ends.get(request)?.());
}
