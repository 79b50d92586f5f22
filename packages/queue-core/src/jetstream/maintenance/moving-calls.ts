import type { JetStreamManager } from '@nats-io/jetstream';
import {
  addressOf,
  addressTokens,
  type CallIdentity,
  callFilter,
  type GenerationKey,
  parseCallSubject,
  queueStream,
} from '../../call/index.ts';
import { forEachLimited } from '../../for-each-limited.ts';
import { callbackSubject, cancelIntentSubject } from '../../records/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import { callbackStream, cancelStream } from '../layout/index.ts';

/** A call that has ended. */
export interface EndedKey extends GenerationKey {
  readonly queue: string;
}

/** A stream with at most this many messages is listed as a whole. */
const maxListed = 1_000;
/** Requests at once. */
const maxConcurrent = 16;

/**
 * Which of these calls still have a message in their queue, a waiting callback, or a cancel intent. Checked in this
 * order, because a callback is stored before its call leaves the queue. Returns the tokens of their identities. Throws
 * `QueueError`.
 */
export async function findMoving(manager: JetStreamManager, ends: readonly EndedKey[]): Promise<ReadonlySet<string>> {
  const moving = new Set<string>();
  for (const [queue, calls] of byQueue(ends)) {
    const filters = calls.map((call) => callFilter(queue, addressOf(call)));
    for (const subject of await subjectsAt(manager, queueStream(queue), filters)) {
      const call = parseCallSubject(subject);
      if (call !== undefined) {
        moving.add(tokensOf(call));
      }
    }
  }
  const rest = ends.filter((call) => !moving.has(tokensOf(call)));
  const callbacks = rest.map((call) => callbackSubject('*', call));
  const intents = rest.map((call) => cancelIntentSubject(call));
  for (const subject of await subjectsAt(manager, callbackStream, callbacks)) {
    moving.add(subject.split('.').slice(2, 5).join('.'));
  }
  for (const subject of await subjectsAt(manager, cancelStream, intents)) {
    moving.add(subject.split('.').slice(1, 4).join('.'));
  }
  return moving;
}

/** The key of a call in the result of `findMoving`. */
export function tokensOf(call: CallIdentity): string {
  return addressTokens(addressOf(call));
}

function byQueue(ends: readonly EndedKey[]): Map<string, EndedKey[]> {
  const queues = new Map<string, EndedKey[]>();
  for (const end of ends) {
    queues.set(end.queue, [...(queues.get(end.queue) ?? []), end]);
  }
  return queues;
}

/**
 * The subjects of all matching messages, and perhaps of others, as the stream's leader knows them: another replica may
 * be behind, and not have a message yet that keeps an outcome.
 */
export async function subjectsAt(manager: JetStreamManager, stream: string, filters: string[]): Promise<string[]> {
  if (filters.length === 0) {
    return [];
  }
  try {
    const { config, state } = await manager.streams.info(stream);
    if (state.messages === 0) {
      return [];
    }
    // The only replica leads: one request.
    return config.num_replicas === 1
      ? await lastSubjects(manager, stream, filters)
      : await askLeader(manager, stream, state.messages <= maxListed ? ['>'] : filters);
  } catch (error) {
    if (isApiError(error, 'streamNotFound')) {
      return [];
    }
    throw asQueueError(error, `the calls in ${stream} cannot be listed`);
  }
}

async function lastSubjects(manager: JetStreamManager, stream: string, filters: string[]): Promise<string[]> {
  const subjects: string[] = [];
  for await (const message of await manager.direct.getLastMessagesFor(stream, { multi_last: filters })) {
    subjects.push(message.subject);
  }
  return subjects;
}

/** Only leaders answer a request for the state of a stream. */
async function askLeader(manager: JetStreamManager, stream: string, filters: readonly string[]): Promise<string[]> {
  const subjects: string[] = [];
  await forEachLimited(filters, maxConcurrent, async (filter) => {
    const { state } = await manager.streams.info(stream, { subjects_filter: filter });
    subjects.push(...Object.keys(state.subjects ?? {}));
  });
  return subjects;
}
