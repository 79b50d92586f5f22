import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchState, BatchView } from '@asyncfn/queue-core';
import type { FastifyReply } from 'fastify';
import { answerWhenKnown, sendEventStream, WaitEnd, type WaiterPlace } from '../../waiting/index.ts';
import { notFound, readView } from './find-batch.ts';
import type { ReadingOptions } from './reading-options.ts';

/** How often the counts of a followed batch are read. Its end is reported at once. */
const countMs = 1_000;

/** Answers with the state of a batch once it has ended, or when the time is up. */
export function answerAtEnd(
  options: ReadingOptions,
  state: BatchState,
  { waitMs, place }: { readonly waitMs: number; readonly place: WaiterPlace },
  reply: FastifyReply,
): Promise<FastifyReply> {
  const wait = async (): Promise<BatchView> => {
    using _ = place;
    const { socket } = reply.request.raw;
    using end = new WaitEnd({ socket, stopping: options.stopping, waitMs });
    return await untilEnded(options, state, end);
  };
  return answerWhenKnown(reply, wait(), notFound);
}

async function untilEnded(
  options: ReadingOptions,
  state: BatchState,
  { signal, isHeard }: Pick<WaitEnd, 'signal' | 'isHeard'>,
): Promise<BatchView> {
  // Subscribes first and looks second, so that an end in between is not missed.
  using watch = options.watches.openBatch(state);
  for (;;) {
    const view = await readView(options, state);
    if (view.endedAt !== undefined || signal.aborted || watch === undefined) {
      return view;
    }
    await watch.next(signal);
    if (!isHeard()) {
      return view;
    }
  }
}

/** Sends the state of a batch whenever its counts have changed, until its end. */
export function sendEvents(
  options: ReadingOptions,
  state: BatchState,
  place: WaiterPlace,
  reply: FastifyReply,
): FastifyReply {
  return sendEventStream(reply, {
    place,
    stopping: options.stopping,
    states: (signal) => followBatch(options, state, signal),
  });
}

async function* followBatch(
  options: ReadingOptions,
  state: BatchState,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  using watch = options.watches.openBatch(state);
  while (!signal.aborted) {
    // Goes on after an outage of the broker.
    const view = await readView(options, state).catch(() => undefined);
    if (view !== undefined) {
      yield JSON.stringify(view);
    }
    if (view?.endedAt !== undefined) {
      return;
    }
    const over = new AbortController();
    const next = AbortSignal.any([signal, over.signal]);
    const wakes = watch === undefined ? [] : [watch.next(next)];
    await Promise.race([...wakes, sleep(countMs, undefined, { signal: next }).catch(() => undefined)]);
    over.abort();
  }
}
