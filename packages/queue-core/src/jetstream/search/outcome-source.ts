import type { JetStreamManager } from '@nats-io/jetstream';
import { identityIn } from '../../call/index.ts';
import { outcomeCodec } from '../../records/index.ts';
import { factsOfOutcome, type IndexEntry, keyOfCall, marksOf, toStatusNumber } from '../../search/index.ts';
import { outcomeStream } from '../layout/index.ts';
import { type PageBroker, type PulledMessage, parseDeliveryInfo, readPage, readRange } from '../messages/index.ts';
import { PartCollector, type StoredPlace, type StreamPart, type StreamSource } from './stream-source.ts';

/** Their headers are read, without bodies. */
const window = 20_000;
const maxTail = 200_000;
/** Messages of one pull. */
const pull = 1_000;
/** Of a body that is not worth reading for its header. */
const largeBytes = 32 * 1024;
/** Records of batches and of callbacks have other subjects. */
const ofOutcome = /^outcomes\.[^.]+\.[^.]+\.\d+\.\d+$/;

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
    await readRange(reader, { from, to, pull }, (messages) => part.add(messages, placeOf, toEntry));
    part.reached = part.places.at(-1)?.sequence ?? from - 1;
    return part;
  });
}

function placeOf({ message, sequence }: PulledMessage): StoredPlace {
  return { sequence, atMs: parseDeliveryInfo(message.reply ?? '')?.storedAtMs ?? 0 };
}

/** Undefined for what is no outcome, or no longer says what its call was about. */
function toEntry({ message, sequence }: PulledMessage): IndexEntry | undefined {
  if (!ofOutcome.test(message.subject)) {
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
    status: toStatusNumber(outcome.status, Number(message.headers?.get('Nats-Msg-Size')) > largeBytes),
  };
}
