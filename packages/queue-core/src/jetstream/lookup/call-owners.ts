import type { JetStreamManager } from '@nats-io/jetstream';
import {
  type CallAddress,
  type CallIdentity,
  callFilter,
  ownerOf,
  parseIdentity,
  queueStream,
} from '../../call/index.ts';
import { anyCancelIntentSubject, anyOutcomeSubject, deadLetterFilter } from '../../records/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import { cancelStream, deadLetterStream, outcomeStream } from '../layout/index.ts';

/** The subjects of a stream that may hold a call of an id, and where they name it. */
interface Place {
  readonly stream: string;
  readonly filter: string;
  /** Index of the id's token. */
  readonly at: number;
}

/**
 * The owners of known calls of an id, that of the newest call first. Costs a request for each queue and three more, so
 * use it only if the newest call of an id is not the wanted one. Throws `QueueError`.
 */
export async function listOwners(
  manager: JetStreamManager,
  queues: readonly string[],
  callId: string,
): Promise<CallAddress[]> {
  const found = await Promise.all(placesOf(queues, callId).map((place) => identitiesIn(manager, place)));
  const newestFirst = found.flat().toSorted((a, b) => Number(b.startTime) - Number(a.startTime));
  const owners = new Set(newestFirst.map(({ submitter }) => ownerOf(submitter)));
  return [...owners].map((owner) => ({ callId, owner }));
}

function placesOf(queues: readonly string[], callId: string): Place[] {
  const call = { callId };
  return [
    ...queues.map((queue) => ({ stream: queueStream(queue), filter: callFilter(queue, call), at: 5 })),
    { stream: outcomeStream, filter: anyOutcomeSubject(call), at: 1 },
    { stream: cancelStream, filter: anyCancelIntentSubject(call), at: 1 },
    { stream: deadLetterStream, filter: deadLetterFilter({ kind: 'call', call }), at: 5 },
  ];
}

async function identitiesIn(manager: JetStreamManager, { stream, filter, at }: Place): Promise<CallIdentity[]> {
  try {
    const { state } = await manager.streams.info(stream, { subjects_filter: filter });
    return Object.keys(state.subjects ?? {}).flatMap(
      (subject) => parseIdentity(...subject.split('.').slice(at, at + 3)) ?? [],
    );
  } catch (error) {
    if (isApiError(error, 'streamNotFound')) {
      return [];
    }
    throw asQueueError(error, `the owners of calls in ${stream} cannot be listed`);
  }
}
