import { FairTurns } from '@asyncfn/queue-core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../auth/index.ts';
import type { BodyBudget } from '../http/index.ts';
import { RefusalError, refusal } from '../problem.ts';
import { refuseFlood } from './refuse-flood.ts';

/** Maximum number of lists at once: one may make the broker read thousands of messages. */
const max = 8;
/** The same for one token. */
const maxPerSubmitter = 4;
/** A list that has not started after this many milliseconds is refused. */
const longestWaitMs = 10_000;

/** Lists of up to this size are not counted. */
const uncountedBytes = 16 * 1024;

export interface Lists {
  readonly turns: FairTurns;
  /** The budget for what is being sent. */
  readonly budget: Pick<BodyBudget, 'open'>;
}

/** The turns of lists, separate from those of look-ups, so that a look-up of a single call never waits for a list. */
export function createLists(budget: Lists['budget']): Lists {
  return { turns: new FairTurns({ max, maxPerSubmitter, waitMs: longestWaitMs }), budget };
}

const listMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Makes the `GET` and `HEAD` requests of all routes registered after it take turns between submitters. Their answers count
 * towards the budget until their clients have received them.
 */
export function takeTurns(app: FastifyInstance, { turns, budget }: Lists): void {
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
  app.addHook('onSend', async ({ method }, reply, payload) => {
    if (method === 'GET' && typeof payload === 'string' && payload.length > uncountedBytes) {
      hold(budget, payload.length, reply);
    }
  });
}

/** A client that has not received its list after a few seconds is disconnected if others need the room. */
function hold(budget: Lists['budget'], bytes: number, { request, raw }: FastifyReply): void {
  const share = budget.open(bytes, () => raw.destroy(), callerOf(request).name ?? '');
  if (share === undefined) {
    throw new RefusalError(noRoom);
  }
  raw.once('close', () => share.release());
  if (raw.destroyed) {
    share.release(); // the client has left already: `close` does not come again
  }
}

const noRoom = refusal('overloaded', 'The gateway is sending too many lists. Try again later.', { 'Retry-After': '1' });
