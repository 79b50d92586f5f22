import { type JetStreamManager, jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { EndFollower, endStream, type RecordedEnd } from './end-follower.ts';
import { type Left, readLeft } from './left-messages.ts';

const queueStreams = /^(CALLS_.*|CALLBACKS)$/;

/** A call that the workers' own audit has not found. */
interface RecordedMiss {
  readonly at: number;
  readonly callId: string;
  readonly submitter: string | undefined;
  readonly startTime: string | undefined;
}

/** Reads the streams without the processes, over connections that no fault breaks. */
export class BrokerLook implements AsyncDisposable {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  #follower: EndFollower | undefined;

  private constructor(connection: NatsConnection, manager: JetStreamManager) {
    this.#connection = connection;
    this.#manager = manager;
  }

  /** The connection stays open while servers restart. */
  static async open(natsUrls: readonly string[]): Promise<BrokerLook> {
    const connection = await connect({
      servers: [...natsUrls],
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      ignoreClusterUpdates: true,
    });
    return new BrokerLook(connection, await jetstreamManager(connection, { timeout: 10_000 }));
  }

  /** From now on every recorded end is read. */
  followEnds(): void {
    this.#follower ??= new EndFollower(this.#connection);
  }

  /** Counts messages by stream, and all consumers together. */
  async holdings(): Promise<{ readonly messages: Readonly<Record<string, number>>; readonly consumers: number }> {
    const messages: Record<string, number> = {};
    let consumers = 0;
    for (const { config, state } of await this.#streams()) {
      messages[config.name] = state.messages;
      consumers += state.consumer_count;
    }
    return { messages, consumers };
  }

  /** Messages of calls and callbacks that still exist. Throws while JetStream does not answer. */
  async left(): Promise<Left> {
    const streams = await this.#streams();
    return await readLeft(
      this.#manager,
      streams.map(({ config }) => config.name).filter((name) => queueStreams.test(name)),
    );
  }

  /** Describes for people how far the consumers of a stream have come. */
  async describeConsumers(stream: string): Promise<string> {
    const consumers = await this.#manager.consumers.list(stream).next();
    const standing = consumers.map(({ name, delivered, ack_floor: floor, num_pending, num_ack_pending }) =>
      [name, `delivered ${delivered.stream_seq}`, `floor ${floor.stream_seq}`, num_pending, num_ack_pending].join(' '),
    );
    return `${stream}: ${standing.join('; ')}`;
  }

  /** Sets the number of replicas of each stream. */
  async replicas(): Promise<ReadonlyMap<string, number>> {
    const result = new Map<string, number>();
    for (const { config } of await this.#streams()) {
      result.set(config.name, config.num_replicas);
    }
    return result;
  }

  /** Whether all ends that are recorded by now have been read. */
  async hasReadEnds(): Promise<boolean> {
    const { state } = await this.#manager.streams.info(endStream);
    return this.#follower === undefined || state.messages === 0 || this.#follower.sequence >= state.last_seq;
  }

  /** Whether workers have followed every receipt to the end of its call. */
  async isAudited(): Promise<boolean> {
    const { num_pending, num_ack_pending } = await this.#manager.consumers.info('RECEIPTS', 'receipts');
    return num_pending + num_ack_pending === 0;
  }

  /** Accepted calls that workers did not find anywhere, and when. */
  async misses(): Promise<RecordedMiss[]> {
    const filter = 'receipts.missing.>';
    const { state } = await this.#manager.streams.info('RECEIPTS', { subjects_filter: filter });
    return await Promise.all(
      Object.keys(state.subjects ?? {}).map(async (subject) => {
        const message = await this.#manager.streams.getMessage('RECEIPTS', { last_by_subj: subject });
        const [, , callId = '', submitter, startTime] = subject.split('.');
        return { callId, submitter, startTime, at: message?.time.getTime() ?? Date.now() };
      }),
    );
  }

  /** Every end that was recorded since reading began. */
  get ends(): readonly RecordedEnd[] {
    return this.#follower?.ends ?? [];
  }

  /** Makes another node lead the stream. Returns the one that led, or undefined if there is no other node. */
  async stepDown(stream: string): Promise<string | undefined> {
    const { cluster } = await this.#manager.streams.info(stream);
    if ((cluster?.replicas?.length ?? 0) === 0) {
      return undefined;
    }
    await this.#connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, '', { timeout: 10_000 });
    return cluster?.leader;
  }

  /** One by one: a list of all streams omits those whose leader does not answer in time. */
  async #streams(): Promise<StreamInfo[]> {
    const names: string[] = [];
    for await (const name of this.#manager.streams.names()) {
      names.push(name);
    }
    return await Promise.all(names.map((name) => this.#manager.streams.info(name)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#follower?.stop();
    await this.#connection.close();
  }
}
