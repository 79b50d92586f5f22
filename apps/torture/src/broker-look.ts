import { type JetStreamManager, jetstream, jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';

/** The end of a call as the broker has it. */
export interface RecordedEnd {
  readonly at: number;
  readonly callId: string;
  readonly status: string;
  readonly attempts: number;
  readonly functionStatus?: number | undefined;
  readonly reason?: string | undefined;
}

const copy = 'TORTURE_OUTCOMES';
/** What stands in those streams besides, keys of calls that are over, stays for its time. */
const waiting = ['*.*.ready.>', '*.*.later.>', 'callbacks.ready.>', 'callbacks.later.>'];
const queueStreams = /^(CALLS_.*|CALLBACKS)$/;

/** A look into the streams behind the backs of the processes, past all lines that are broken. */
export class BrokerLook implements AsyncDisposable {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;

  private constructor(connection: NatsConnection, manager: JetStreamManager) {
    this.#connection = connection;
    this.#manager = manager;
  }

  /** It stays open over restarts of the servers. */
  static async open(natsUrls: readonly string[]): Promise<BrokerLook> {
    const connection = await connect({
      servers: [...natsUrls],
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      ignoreClusterUpdates: true,
    });
    return new BrokerLook(connection, await jetstreamManager(connection, { timeout: 10_000 }));
  }

  /** From now on every recorded end is copied, and none is overwritten: to be called before the first call ends. */
  async copyEnds(replicas: number): Promise<void> {
    await this.#manager.streams.add({ name: copy, mirror: { name: 'OUTCOMES' }, num_replicas: replicas });
  }

  /** Messages by stream, and all consumers together. */
  async holdings(): Promise<{ readonly messages: Readonly<Record<string, number>>; readonly consumers: number }> {
    const messages: Record<string, number> = {};
    let consumers = 0;
    for (const { config, state } of await this.#streams()) {
      messages[config.name] = state.messages;
      consumers += state.consumer_count;
    }
    return { messages, consumers };
  }

  /** Messages of calls and callbacks that are still there. Throws while JetStream does not answer. */
  async queued(): Promise<number> {
    return (await this.#leftSubjects()).reduce((sum, { subjects }) => sum + subjects.length, 0);
  }

  /** What is still there, for people: the oldest message of each stream, and how far its consumers are. */
  async describeLeft(): Promise<string[]> {
    const left = (await this.#leftSubjects()).filter(({ subjects }) => subjects.length > 0);
    return await Promise.all(
      left.map(async ({ stream, subjects: [subject = ''] }) => {
        const message = await this.#manager.streams.getMessage(stream, { last_by_subj: subject });
        const consumers = await this.#manager.consumers.list(stream).next();
        const standing = consumers.map(({ name, delivered, ack_floor: floor, num_pending, num_ack_pending }) =>
          [name, `delivered ${delivered.stream_seq}`, `floor ${floor.stream_seq}`, num_pending, num_ack_pending].join(
            ' ',
          ),
        );
        return `${stream}: ${subject}, sequence ${message?.seq} of ${message?.time.toISOString()}; ${standing.join('; ')}`;
      }),
    );
  }

  /** Copies that each stream is to have. */
  async replicas(): Promise<ReadonlyMap<string, number>> {
    const result = new Map<string, number>();
    for (const { config } of await this.#streams()) {
      result.set(config.name, config.num_replicas);
    }
    return result;
  }

  /** Whether the copy of the ends is complete. */
  async isCopied(): Promise<boolean> {
    const [source, copied] = await Promise.all([
      this.#manager.streams.info('OUTCOMES'),
      this.#manager.streams.info(copy),
    ]);
    return copied.state.last_seq === source.state.last_seq;
  }

  /** Whether workers have followed every receipt to the end of its call. */
  async isAudited(): Promise<boolean> {
    const { num_pending, num_ack_pending } = await this.#manager.consumers.info('RECEIPTS', 'receipts');
    return num_pending + num_ack_pending === 0;
  }

  /** Accepted calls that workers have found to be nowhere, and when. */
  async misses(): Promise<{ readonly callId: string; readonly at: number }[]> {
    const filter = 'receipts.missing.>';
    const { state } = await this.#manager.streams.info('RECEIPTS', { subjects_filter: filter });
    return await Promise.all(
      Object.keys(state.subjects ?? {}).map(async (subject) => {
        const message = await this.#manager.streams.getMessage('RECEIPTS', { last_by_subj: subject });
        return { callId: subject.split('.')[2] ?? '', at: message?.time.getTime() ?? Date.now() };
      }),
    );
  }

  /** Every end that was ever recorded. */
  async *ends(): AsyncGenerator<RecordedEnd> {
    const { state } = await this.#manager.streams.info(copy);
    if (state.messages === 0) {
      return;
    }
    const consumer = await jetstream(this.#connection).consumers.get(copy, { filter_subjects: 'outcomes.*.*.*.*' });
    const { num_pending: pending } = await consumer.info();
    if (pending === 0) {
      return;
    }
    for await (const message of await consumer.consume({ max_messages: 1_000 })) {
      yield toEnd(message.headers?.get('Asyncfn-Outcome') ?? '', message.info.timestampNanos);
      if (message.info.pending === 0) {
        return;
      }
    }
  }

  /** Has another node lead the stream. Returns the one that led, or undefined where there is no other. */
  async stepDown(stream: string): Promise<string | undefined> {
    const { cluster } = await this.#manager.streams.info(stream);
    if ((cluster?.replicas?.length ?? 0) === 0) {
      return undefined;
    }
    await this.#connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, '', { timeout: 10_000 });
    return cluster?.leader;
  }

  /** Each call and each callback has a subject of its own. */
  async #leftSubjects(): Promise<{ readonly stream: string; readonly subjects: readonly string[] }[]> {
    const streams = (await this.#streams()).filter(({ config }) => queueStreams.test(config.name));
    return await Promise.all(
      streams.map(async ({ config: { name: stream } }) => {
        const found = waiting.map((filter) => this.#manager.streams.info(stream, { subjects_filter: filter }));
        const subjects = (await Promise.all(found)).flatMap(({ state }) => Object.keys(state.subjects ?? {}));
        return { stream, subjects };
      }),
    );
  }

  /** One by one: a list of all leaves out those whose leader does not answer in time. */
  async #streams(): Promise<StreamInfo[]> {
    const names: string[] = [];
    for await (const name of this.#manager.streams.names()) {
      names.push(name);
    }
    return await Promise.all(names.map((name) => this.#manager.streams.info(name)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }
}

function toEnd(text: string, timestampNanos: number): RecordedEnd {
  const { callId, status, attempts, functionStatus, reason } = JSON.parse(text) as Omit<RecordedEnd, 'at'>;
  return { at: timestampNanos / 1e6, callId, status, attempts, functionStatus, reason };
}
