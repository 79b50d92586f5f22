import { FairTurns } from '@asyncfn/queue-core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { callerOf } from '../auth/index.ts';
import { refuseFlood } from './refuse-flood.ts';

/** Maximum number of lists at once: one may make the broker read thousands of messages. */
const max = 8;
/** The same for one token. */
const maxPerSubmitter = 4;
/** A list that has not started after this many milliseconds is refused. */
const longestWaitMs = 10_000;

/** The turns of lists, separate from those of look-ups, so that a look-up of a single call never waits for a list. */
export function createListTurns(): FairTurns {
  return new FairTurns({ max, maxPerSubmitter, waitMs: longestWaitMs });
}

const listMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Makes the `GET` and `HEAD` requests of all routes registered after it take turns between submitters. */
export function takeTurns(app: FastifyInstance, turns: FairTurns): void {
  const ends = new WeakMap<FastifyRequest, () => void>();
  app.addHook('preHandler', async (request, reply) => {
    if (!listMethods.has(request.method)) {
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
        return new Promise((end) => ends.set(request, end));
      };
      turns.run(list, caller.name).catch(reject);
    });
  });
  // The list is complete by now, even if its client reads slowly. A client that is gone ends no list: its answer comes here
  // as well, and until then the broker works on it.
  app.addHook('onSend', async (request) => ends.get(request)?.());
}
