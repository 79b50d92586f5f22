import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';

/** A message of a call or a callback that still exists. */
export interface LeftMessage {
  readonly stream: string;
  readonly subject: string;
  readonly sequence: number;
  readonly storedAt: Date;
}

/**
 * Calls, what is stored about their flow keys, and callbacks. Other contents of the streams, such as keys of calls that
 * have ended, stay for their time.
 */
const waiting = [
  ...['*.*.ready.>', '*.*.later.>', '*.*.wait.>', 'flows.>'],
  ...['callbacks.ready.>', 'callbacks.later.>'],
];
/** How many messages are read at once, one by one. If there are more, their number is enough. */
const fewEnough = 100;
const noMessage = 10037;

interface Broker {
  readonly streams: Pick<JetStreamManager['streams'], 'info' | 'getMessage'>;
}

/** How many messages a server counts as left, and those of them that can be read. */
export interface Left {
  readonly count: number;
  /** Undefined if the server counts too many to read them. */
  readonly messages: readonly LeftMessage[] | undefined;
}

/**
 * The messages left in the streams. Each call and each callback has a subject of its own, and a server's count of
 * subjects is no proof: after faults it may count a subject whose message is gone (seen with nats-server 2.15.1). So
 * the leader of the stream is asked for each message, if there are few. A message that moves to another subject
 * between these questions could be missed by all of them, so nothing is left only if nothing was stored meanwhile.
 * Throws while JetStream does not answer.
 */
export async function readLeft(broker: Broker, names: readonly string[]): Promise<Left> {
  for (;;) {
    const before = await lastSequences(broker, names);
    const left = await readOnce(broker, names);
    if (left.count > 0 || before === (await lastSequences(broker, names))) {
      return left;
    }
  }
}

async function lastSequences({ streams }: Broker, names: readonly string[]): Promise<string> {
  const infos = await Promise.all(names.map((stream) => streams.info(stream)));
  return infos.map(({ state }) => state.last_seq).join();
}

async function readOnce({ streams }: Broker, names: readonly string[]): Promise<Left> {
  const counted = await Promise.all(
    names.map(async (stream) => {
      const infos = await Promise.all(waiting.map((filter) => streams.info(stream, { subjects_filter: filter })));
      return infos.flatMap(({ state }) => Object.keys(state.subjects ?? {})).map((subject) => ({ stream, subject }));
    }),
  );
  const places = counted.flat();
  if (places.length > fewEnough) {
    return { count: places.length, messages: undefined };
  }
  const read = places.map(async ({ stream, subject }): Promise<LeftMessage[]> => {
    const message = await streams.getMessage(stream, { last_by_subj: subject }).catch(nothingIfGone);
    return message === null ? [] : [{ stream, subject, sequence: message.seq, storedAt: message.time }];
  });
  const messages = (await Promise.all(read)).flat();
  return { count: messages.length, messages };
}

function nothingIfGone(error: unknown): null {
  if (error instanceof JetStreamApiError && error.code === noMessage) {
    return null;
  }
  throw error;
}

/** Describes for people where the message is. */
export function describeLeft({ stream, subject, sequence, storedAt }: LeftMessage): string {
  return `${stream}, sequence ${sequence} of ${storedAt.toISOString()}: ${subject}`;
}
