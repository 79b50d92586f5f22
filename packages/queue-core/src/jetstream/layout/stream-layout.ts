import type { JetStreamManager, StreamConfig, StreamInfo } from '@nats-io/jetstream';
import type { StreamLimits } from '../../stream-limits.ts';
import type { QueueLogger } from '../connecting/index.ts';
import { raiseConsumerLimit } from './consumer-room.ts';
import { bucketConfig, deadLetterStreamConfig, handoverStreamConfig, recordStreamConfigs } from './record-streams.ts';
import { ensureStream, ensureStreamWithRoom, queueStreamConfig } from './streams.ts';

export interface LayoutOptions {
  readonly replicas: number;
  /** How large streams may become. Default: without limits. */
  readonly limits?: StreamLimits;
  /** Whether this process records hand-overs (a worker). */
  readonly handsOver: boolean;
  /** How long outcomes are kept, in milliseconds, if this process sets it (a gateway). Others leave it unchanged. */
  readonly resultTtlMs?: number | undefined;
  readonly logger: QueueLogger;
}

type NamedConfig = Partial<StreamConfig> & { readonly name: string };

/** Our streams, with the settings that this process wants for them. Methods throw `QueueError`. */
export class StreamLayout {
  readonly #options: LayoutOptions;
  readonly #onStream = new Set<(info: StreamInfo) => void>();

  constructor(options: LayoutOptions) {
    this.#options = options;
  }

  /** `listener` runs for each stream whenever it was ensured. */
  onStream(listener: (info: StreamInfo) => void): void {
    this.#onStream.add(listener);
  }

  get replicas(): number {
    return this.#options.replicas;
  }

  /** The most bytes that the setting gives a stream; undefined is no limit. */
  limitOf(stream: string): number | undefined {
    return this.#options.limits?.(stream);
  }

  /** All streams but those of queues. */
  async ensureRecords(manager: JetStreamManager): Promise<void> {
    const { replicas, resultTtlMs, handsOver } = this.#options;
    const foreign = resultTtlMs === undefined ? (['metadata'] as const) : [];
    const records = [...recordStreamConfigs(replicas, resultTtlMs), bucketConfig(replicas)];
    await Promise.all(records.map((config) => this.ensure(manager, config, foreign)));
    await this.#ensureDeadLetters(manager);
    if (handsOver) {
      await this.ensure(manager, handoverStreamConfig(replicas));
    }
  }

  async ensureQueue(manager: JetStreamManager, queue: string): Promise<void> {
    const stream = await this.ensure(manager, queueStreamConfig(queue, this.replicas));
    await raiseConsumerLimit(manager, stream, this.#options.logger);
  }

  /** Ensures one stream, with the limit that is set for it. */
  async ensure(
    manager: JetStreamManager,
    config: NamedConfig,
    foreign: readonly (keyof StreamConfig)[] = [],
  ): Promise<StreamInfo> {
    const limit = this.limitOf(config.name);
    const limited = limit === undefined ? config : { ...config, max_bytes: limit };
    const stream = await ensureStream(manager, limited, this.#options.logger, foreign);
    this.#tell(stream);
    return stream;
  }

  /** These streams take the room that is left, unless they have a limit of their own. */
  async #ensureDeadLetters(manager: JetStreamManager): Promise<void> {
    const config = deadLetterStreamConfig(this.replicas);
    if (this.limitOf(config.name) === undefined) {
      this.#tell(await ensureStreamWithRoom(manager, config, this.#options.logger));
    } else {
      await this.ensure(manager, config);
    }
  }

  #tell(info: StreamInfo): void {
    for (const listener of this.#onStream) {
      listener(info);
    }
  }
}
