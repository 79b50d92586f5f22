import type { StreamInfo } from '@nats-io/jetstream';
import { asQueueError, type QueueLogger, RetryLog } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import { KnownStreams, type LostStream, type StreamSight } from './known-streams.ts';
import type { QueueTopology } from './queue-topology.ts';

type Topology = Pick<QueueTopology, 'manager' | 'ready' | 'onStream' | 'repair' | 'readClock'>;

/**
 * Notices that our streams are gone, or were replaced by others of the same name: a broker has come back without its
 * data, or an operator has deleted them. Logs it, and has them recreated.
 */
export class StreamWatch {
  readonly #topology: Topology;
  readonly #logger: QueueLogger;
  readonly #retries: RetryLog;
  readonly #known = new KnownStreams();
  readonly #onLost = new Set<(stream: string) => void>();
  #lost = 0;

  constructor(topology: Topology, logger: QueueLogger) {
    this.#topology = topology;
    this.#logger = logger;
    this.#retries = new RetryLog(logger, 'the streams cannot be checked yet');
    topology.onStream((info) => this.#note(info));
  }

  /** Streams lost since the process began that were not empty. */
  get lost(): number {
    return this.#lost;
  }

  /** The state in one word. `lost` stays until the process ends. */
  get state(): 'kept' | 'lost' {
    return this.#lost > 0 ? 'lost' : 'kept';
  }

  /** `listener` runs with the name of each lost stream, empty or not. */
  onLost(listener: (stream: string) => void): void {
    this.#onLost.add(listener);
  }

  /** Checks that all known streams exist, and reads the time of NATS. Call it every few seconds. Never throws. */
  async refresh(): Promise<void> {
    if (!this.#topology.ready) {
      return;
    }
    try {
      await this.#refresh();
      this.#retries.succeeded();
    } catch (error) {
      this.#retries.failed(error, {});
    }
  }

  async #refresh(): Promise<void> {
    const names = await this.#list();
    const gone: string[] = [];
    for (const name of this.#known.missingFrom(names)) {
      if (await this.#isGone(name)) {
        gone.push(name);
        this.#takeDeletion(this.#known.lose(name));
      }
    }
    if (gone.length > 0) {
      await this.#topology.repair(gone);
    }
    await this.#topology.readClock();
  }

  /** The names of all streams. One whose leader does not answer may be left out. */
  async #list(): Promise<Set<string>> {
    const names = new Set<string>();
    try {
      for await (const info of this.#topology.manager.streams.list()) {
        names.add(info.config.name);
        this.#noteAgain(info);
      }
    } catch (error) {
      throw asQueueError(error, 'the streams cannot be listed');
    }
    return names;
  }

  async #isGone(name: string): Promise<boolean> {
    try {
      await this.#topology.manager.streams.info(name);
      return false;
    } catch (error) {
      if (isApiError(error, 'streamNotFound')) {
        return true;
      }
      throw asQueueError(error, `stream ${name} cannot be read`);
    }
  }

  /** Other streams of the account may not be ours. */
  #noteAgain(info: StreamInfo): void {
    if (this.#known.has(info.config.name)) {
      this.#note(info);
    }
  }

  #note(info: StreamInfo): void {
    this.#takeLoss(this.#known.note(toSight(info)));
  }

  /** An operator may have removed the queue of removed functions; not if another process has recreated it. */
  #takeDeletion(lost: LostStream | undefined): void {
    if (lost === undefined || lost.held > 0) {
      this.#takeLoss(lost);
      return;
    }
    this.#logger.warn({ ...lost }, 'an empty stream is gone');
    this.#tell(lost);
  }

  /** `held` is from the last check: the stream may have held more. */
  #takeLoss(lost: LostStream | undefined): void {
    if (lost !== undefined) {
      this.#lost += 1;
      this.#logger.error({ ...lost }, 'a stream is gone, and its messages are lost');
      this.#tell(lost);
    }
  }

  #tell({ stream }: LostStream): void {
    for (const listener of this.#onLost) {
      listener(stream);
    }
  }
}

function toSight({ config, created, state }: StreamInfo): StreamSight {
  return { name: config.name, created: String(created), held: state.messages, lastSequence: state.last_seq };
}
