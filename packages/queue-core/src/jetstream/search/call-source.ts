import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import { callPattern, emptyBody, identityIn, phaseUntilDue, queueStream } from '../../call/index.ts';
import { factsOfCall, type IndexEntry, keyOfCall, marksOf, toStatusNumber } from '../../search/index.ts';
import { type QueuedCall, scanCalls, toQueuedCall } from '../lookup/index.ts';
import { PartCollector, type StoredPlace, type StreamPart, type StreamSource } from './stream-source.ts';

/** Few at once, because the broker sends the bodies of calls as well. */
const window = 5_000;
const maxTail = 20_000;

/** The calls of a queue: those that are ready, wait for their time or for a retry, or wait for their flow key. */
export function createCallSource(
  manager: () => JetStreamManager,
  queue: string,
  readiness: 'ready' | 'later' | 'wait',
): StreamSource {
  const filter = callPattern({ queue, readiness, function: '*', call: '*' });
  return {
    stream: queueStream(queue),
    kind: 'call',
    window,
    maxTail,
    read: (from, to) => readCalls(manager(), { queue, filter, from }, to),
  };
}

/** The calls of a queue from one sequence to another, for an index. Throws `QueueError`. */
export async function readCalls(
  manager: JetStreamManager,
  range: Parameters<typeof scanCalls>[1],
  to: number,
  most = Number.POSITIVE_INFINITY,
): Promise<StreamPart> {
  const part = new PartCollector();
  for (let { from } = range; from <= to && part.entries.length < most; ) {
    const messages = await scanCalls(manager, { ...range, from });
    const inside = messages.filter(({ seq }) => seq <= to);
    part.add(inside, placeOf, (message) => toEntry(toQueuedCall(message, emptyBody)));
    from = (messages.at(-1)?.seq ?? to) + 1;
  }
  return part;
}

function placeOf({ seq, time }: StoredMsg): StoredPlace {
  return { sequence: seq, atMs: time.getTime() };
}

function toEntry(queued: QueuedCall | undefined): IndexEntry | undefined {
  if (queued === undefined) {
    return undefined;
  }
  const { call, subject, sequence } = queued;
  return {
    ...keyOfCall(identityIn(subject)),
    sequence,
    function: subject.function,
    queue: subject.queue,
    marks: marksOf(factsOfCall(call)),
    status: toStatusNumber(statusOf(queued)),
  };
}

/** A ready call may be running: only its worker knows. */
function statusOf({ subject, call }: QueuedCall) {
  return subject.readiness === 'later' ? phaseUntilDue(call) : 'queued';
}
