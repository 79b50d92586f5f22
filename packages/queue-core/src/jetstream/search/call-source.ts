import type { JetStreamManager } from '@nats-io/jetstream';
import { hasStarted, identityIn, queueStream, waitingFilter } from '../../call/index.ts';
import { callStatuses, factsOfCall, type IndexEntry, keyOfCall, marksOf } from '../../search/index.ts';
import { type QueuedCall, scanCalls, toQueuedCall } from '../lookup/index.ts';
import { PartCollector, type StreamPart, type StreamSource } from './stream-source.ts';

/** Few at once, because the broker sends the bodies of calls as well. */
const window = 5_000;
const maxTail = 20_000;

/** The calls of a queue. */
export function createCallSource(manager: () => JetStreamManager, queue: string): StreamSource {
  return {
    stream: queueStream(queue),
    kind: 'call',
    window,
    maxTail,
    async read(from, to): Promise<StreamPart> {
      const part = new PartCollector();
      for (let next = from; next <= to; ) {
        const messages = await scanCalls(manager(), { queue, filter: waitingFilter(queue), from: next });
        const inside = messages.filter(({ seq }) => seq <= to);
        const places = inside.map(({ seq, time }) => ({ sequence: seq, atMs: time.getTime() }));
        part.add(
          places,
          inside.map((message) => toEntry(toQueuedCall(message))),
        );
        next = (messages.at(-1)?.seq ?? to) + 1;
      }
      return part;
    },
  };
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
    status: callStatuses.indexOf(statusOf(queued)),
  };
}

/** A ready call may be running: only its worker knows. */
function statusOf({ subject, call }: QueuedCall) {
  if (subject.readiness === 'ready') {
    return 'queued';
  }
  return hasStarted(call) ? 'retrying' : 'scheduled';
}
