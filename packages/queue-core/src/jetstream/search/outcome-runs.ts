import type { JetStreamManager } from '@nats-io/jetstream';
import { outcomeCodec } from '../../records/index.ts';
import { outcomeStream } from '../layout/index.ts';
import { type PageBroker, type PulledMessage, parseDeliveryInfo, readPage, readRange } from '../messages/index.ts';

/** What is read of an outcome for a list. */
export interface OutcomeHeader {
  /** As it is stored: `outcomeCodec` decodes it. */
  readonly header: string;
  /** Unix time in milliseconds. */
  readonly storedAt: number;
}

/** Outcomes that are read together have at most this many other messages between them. */
const maxGap = 16;
/** Fewer of them are read faster one by one. */
const minRun = 16;
/** Messages of one pull. */
const pull = 500;

/**
 * Reads the headers of outcomes that are close together in their stream, as those of a page mostly are, with one consumer:
 * without their bodies, and at a fraction of the cost of a request for each. Others are left out. Throws `QueueError`.
 */
export async function readOutcomeRuns(
  broker: PageBroker,
  manager: JetStreamManager,
  sequences: readonly number[],
): Promise<Map<number, OutcomeHeader>> {
  const read = new Map<number, OutcomeHeader>();
  for (const run of runsOf(sequences)) {
    await readRun(broker, manager, new Set(run), read);
  }
  return read;
}

/** The header of an outcome, without its body: undefined if it no longer exists. Throws `QueueError`. */
export async function readOutcomeHeader(
  broker: PageBroker,
  manager: JetStreamManager,
  sequence: number,
): Promise<OutcomeHeader | undefined> {
  const read = new Map<number, OutcomeHeader>();
  await readRun(broker, manager, new Set([sequence]), read);
  return read.get(sequence);
}

function runsOf(sequences: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const sequence of sequences.toSorted((a, b) => a - b)) {
    const run = runs.at(-1);
    const isNear = sequence - (run?.at(-1) ?? Number.NEGATIVE_INFINITY) <= maxGap;
    if (run !== undefined && isNear) {
      run.push(sequence);
    } else {
      runs.push([sequence]);
    }
  }
  return runs.filter(({ length }) => length >= minRun);
}

/** @param wanted in ascending order */
async function readRun(
  broker: PageBroker,
  manager: JetStreamManager,
  wanted: ReadonlySet<number>,
  read: Map<number, OutcomeHeader>,
): Promise<void> {
  const [from = 1] = wanted;
  const to = [...wanted].at(-1) ?? from;
  const take = (messages: readonly PulledMessage[]): void => {
    for (const message of messages.filter(({ sequence }) => wanted.has(sequence))) {
      read.set(message.sequence, toHeader(message));
    }
  };
  await readPage(broker, manager, { stream: outcomeStream, from }, (reader) =>
    readRange(reader, { from, to, pull }, take),
  );
}

function toHeader({ message }: PulledMessage): OutcomeHeader {
  return {
    header: message.headers?.get(outcomeCodec.header) ?? '',
    storedAt: parseDeliveryInfo(message.reply ?? '')?.storedAtMs ?? 0,
  };
}
