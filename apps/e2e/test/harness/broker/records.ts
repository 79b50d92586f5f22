import { eventually } from '@asyncfn/testkit';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';

/** The facts about a call or a callback in its dead letter. */
export interface DeadLetter {
  readonly kind: string;
  readonly reason: string;
  readonly lastStatus?: number;
  readonly attempts: number;
}

const source = 'OUTCOMES';
const copy = 'COPY_OF_OUTCOMES';
const anyOutcome = 'outcomes.*.*.*.*';

/** Reads the streams without the processes. It stays open over restarts of nats-server. */
export class Records implements AsyncDisposable {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;

  private constructor(connection: NatsConnection, manager: JetStreamManager) {
    this.#connection = connection;
    this.#manager = manager;
  }

  /** Must be opened before the first call ends: from then on every recorded end is copied, and none is overwritten. */
  static async open(natsUrl: string): Promise<Records> {
    const connection = await connect({ servers: natsUrl, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: copy, mirror: { name: source }, allow_direct: true });
    return new Records(connection, manager);
  }

  /**
   * How many different ends of each call have been recorded, by call id. One that was stored again unchanged counts
   * once: a cancel that puts back a call which has just ended does so.
   */
  async outcomes(): Promise<ReadonlyMap<string, number>> {
    const stored = await this.#storedOutcomes();
    const counts = [...stored].map(async ([subject, count]): Promise<[string, number]> => {
      const different = count === 1 ? 1 : new Set(await this.#storedEnds(subject, count)).size;
      return [subject.split('.')[1] ?? '', different];
    });
    return new Map(await Promise.all(counts));
  }

  /** How many messages each subject of outcomes has had. */
  async #storedOutcomes(): Promise<ReadonlyMap<string, number>> {
    return await eventually(async () => {
      const { state } = await this.#manager.streams.info(source);
      const { state: copied } = await this.#manager.streams.info(copy, { subjects_filter: anyOutcome });
      if (copied.last_seq !== state.last_seq) {
        throw new Error(`${copied.last_seq} of ${state.last_seq} are copied`);
      }
      return new Map(Object.entries(copied.subjects ?? {}));
    });
  }

  async #storedEnds(subject: string, count: number): Promise<string[]> {
    const ends: string[] = [];
    for (let from = 1; ends.length < count; ) {
      const message = await this.#manager.direct.getMessage(copy, { seq: from, next_by_subj: subject });
      if (message === null) {
        throw new Error(`${ends.length} of ${count} outcomes of ${subject} are there`);
      }
      ends.push(message.header.get('Asyncfn-Outcome'));
      from = message.seq + 1;
    }
    return ends;
  }

  /** The dead letters of a call and of its callback. */
  async deadLetters(callId: string): Promise<DeadLetter[]> {
    const subjects = await this.#subjects('DEAD_LETTERS', `dead.*.*.*.*.${callId}.*.*`);
    const messages = await Promise.all(
      subjects.map((subject) => this.#manager.streams.getMessage('DEAD_LETTERS', { last_by_subj: subject })),
    );
    return messages.map((message) => JSON.parse(message?.header.get('Asyncfn-Dead-Letter') ?? '') as DeadLetter);
  }

  /** How many retries wait for their time. */
  async waitingRetries(): Promise<number> {
    return (await this.#subjects('CALLS_default', 'calls.default.later.>')).length;
  }

  /** How many callbacks wait for their time. */
  async waitingCallbacks(): Promise<number> {
    return (await this.#subjects('CALLBACKS', 'callbacks.later.>')).length;
  }

  /**
   * The number of calls with stored callbacks, waiting or on their way: the next try is stored before the last one is
   * removed.
   */
  async storedCallbacks(): Promise<number> {
    const subjects = await this.#subjects('CALLBACKS', 'callbacks.>');
    return new Set(subjects.map((subject) => subject.split('.').slice(2).join('.'))).size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  async #subjects(stream: string, filter: string): Promise<string[]> {
    const { state } = await this.#manager.streams.info(stream, { subjects_filter: filter });
    return Object.keys(state.subjects ?? {});
  }
}
