import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';

/** A message of a call or a callback that is still there. */
export interface LeftMessage {
  readonly stream: string;
  readonly subject: string;
  readonly sequence: number;
  readonly storedAt: Date;
}

/** What stands in the streams besides, keys of calls that are over, stays for its time. */
const waiting = ['*.*.ready.>', '*.*.later.>', 'callbacks.ready.>', 'callbacks.later.>'];
/** As many are read at once, one by one: while there are more, their number is good enough. */
const fewEnough = 100;
const noMessage = 10037;

/** What a server counts as left, and what of that can be read. */
export interface Left {
  readonly count: number;
  /** Undefined where too many are counted to read them. */
  readonly messages: readonly LeftMessage[] | undefined;
}

/**
 * What is left in the streams. Each call and each callback has a subject of its own, and a server's count of subjects is no
 * proof: after faults it may still have one whose message is gone (seen with nats-server 2.15.1). So the leader of the stream
 * is asked for each message, if there are few. Throws while JetStream does not answer.
 */
export async function readLeft(
  { streams }: { readonly streams: Pick<JetStreamManager['streams'], 'info' | 'getMessage'> },
  names: readonly string[],
): Promise<Left> {
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

/** For people: where it is. */
export function describeLeft({ stream, subject, sequence, storedAt }: LeftMessage): string {
  return `${stream}, sequence ${sequence} of ${storedAt.toISOString()}: ${subject}`;
}
