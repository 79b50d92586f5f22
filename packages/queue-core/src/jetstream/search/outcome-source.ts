import type { JetStreamManager } from '@nats-io/jetstream';
import { identityIn, parseIdentity } from '../../call/index.ts';
import { outcomeCodec } from '../../records/index.ts';
import { callStatuses, factsOfOutcome, type IndexEntry, keyOfCall, marksOf } from '../../search/index.ts';
import { outcomeStream } from '../layout/index.ts';
import { type PageBroker, type PulledMessage, parseDeliveryInfo, readPage } from '../messages/index.ts';
import { PartCollector, type StreamPart, type StreamSource } from './stream-source.ts';

/** Their headers are read, without bodies. */
const window = 20_000;
const maxTail = 200_000;
/** Messages of one pull. */
const pull = 1_000;

/** The outcomes of calls. */
export function createOutcomeSource(broker: PageBroker, manager: () => JetStreamManager): StreamSource {
  return {
    stream: outcomeStream,
    kind: 'outcome',
    window,
    maxTail,
    read: (from, to) => readOutcomes(broker, manager(), from, to),
  };
}

/** Without a filter of subjects: then the last message of the stream is seen, unless the replica that answers is behind. */
function readOutcomes(broker: PageBroker, manager: JetStreamManager, from: number, to: number): Promise<StreamPart> {
  return readPage(broker, manager, { stream: outcomeStream, from }, async (reader) => {
    const part = new PartCollector();
    for (let next = from; next <= to && reader.pending > 0; ) {
      const messages = await reader.read(Math.min(pull, to - next + 1));
      const inside = messages.filter(({ sequence }) => sequence <= to);
      part.add(
        inside.map(({ message, sequence }) => ({ sequence, atMs: storedAtMs(message.reply) })),
        inside.map(toEntry),
      );
      next = (messages.at(-1)?.sequence ?? to) + 1;
    }
    return part;
  });
}

function storedAtMs(reply = ''): number {
  return parseDeliveryInfo(reply)?.storedAtMs ?? 0;
}

/** Undefined for what is no outcome, or no longer says what its call was about. */
function toEntry({ message, sequence }: PulledMessage): IndexEntry | undefined {
  const [, callId, owner, startTime, generation, ...rest] = message.subject.split('.');
  if (rest.length > 0 || generation === undefined || parseIdentity(callId, owner, startTime) === undefined) {
    return undefined;
  }
  const outcome = outcomeCodec.decode(message.headers?.get(outcomeCodec.header) ?? '');
  if (outcome === undefined || outcome.erased === true) {
    return undefined;
  }
  return {
    ...keyOfCall(identityIn(outcome)),
    sequence,
    function: outcome.function,
    queue: outcome.queue,
    marks: marksOf(factsOfOutcome(outcome)),
    status: callStatuses.indexOf(outcome.status),
  };
}
