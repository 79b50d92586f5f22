import { type JetStreamManager, PersistMode, StorageType, type StreamInfo } from '@nats-io/jetstream';
import {
  type Durability,
  type DurabilityLevel,
  type DurabilityShortfall,
  isAtLeast,
  type StreamCopies,
  toDurability,
} from '../../durability.ts';
import { asQueueError, type Broker, type QueueLogger } from '../connecting/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { readSyncMode } from '../publish/index.ts';

export interface DurabilityOptions {
  /** The operator declares that every server has `sync_interval: always`, for servers that do not report it. */
  readonly declaredSyncAlways: boolean;
  /** The least durability that calls are accepted with; undefined: any. */
  readonly required?: DurabilityLevel | undefined;
  readonly logger: QueueLogger;
}

const subjectsOfOurs = ['calls.>', 'callbacks.>', 'outcomes.>', 'dead.>'];

const refreshMs = 15_000;
/** While calls are refused for it. */
const refreshRefusedMs = 1_000;

/**
 * Knows what a PubAck guarantees. Looks it up on every connection and at intervals, since operators change servers
 * while we run.
 */
export class DurabilityWatch {
  readonly #broker: Broker;
  readonly #topology: Pick<QueueTopology, 'manager' | 'ready' | 'onReady'>;
  readonly #options: DurabilityOptions;
  #current: Durability | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    broker: Broker,
    topology: Pick<QueueTopology, 'manager' | 'ready' | 'onReady'>,
    options: DurabilityOptions,
  ) {
    this.#broker = broker;
    this.#topology = topology;
    this.#options = options;
    topology.onReady(() => void this.#refresh());
  }

  /** As it was when it was last looked up; undefined before. */
  get current(): Durability | undefined {
    return this.#current;
  }

  /**
   * Why calls may not be accepted; undefined if the broker is known to be as durable as required, or nothing is
   * required.
   */
  get shortfall(): DurabilityShortfall | undefined {
    const { required } = this.#options;
    const found = this.#current?.level;
    const isEnough = required === undefined || (found !== undefined && isAtLeast(found, required));
    return isEnough ? undefined : { required, found };
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #refresh(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#topology.ready) {
      try {
        this.#take(await this.#read());
      } catch (err) {
        // Goes on with what it knew before.
        this.#options.logger.warn({ err }, 'durability could not be looked up');
      }
    }
    if (!this.#stopped) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(
        () => void this.#refresh(),
        this.shortfall === undefined ? refreshMs : refreshRefusedMs,
      ).unref();
    }
  }

  /** Throws `QueueError` while JetStream does not answer. */
  async #read(): Promise<Durability> {
    const { declaredSyncAlways } = this.#options;
    const sync = readSyncMode(this.#broker, declaredSyncAlways);
    return toDurability(await readCopies(this.#topology.manager), await sync);
  }

  #take(durability: Durability): void {
    const { required, declaredSyncAlways, logger } = this.#options;
    const before = this.#current;
    this.#current = durability;
    if (before?.level === durability.level && before.sync === durability.sync) {
      return;
    }
    const { level, copies, sync } = durability;
    const fields = { durability: level, copies, sync, ...(required !== undefined && { required }) };
    if (this.shortfall !== undefined) {
      logger.error(fields, 'durability is below REQUIRE_DURABILITY: calls are refused');
    } else {
      logger.info(fields, 'durability of accepted calls');
    }
    if (declaredSyncAlways && durability.sync === 'interval') {
      logger.error(fields, 'NATS_SYNC says always, but a server says that it syncs at intervals');
    }
  }
}

async function readCopies(manager: JetStreamManager): Promise<StreamCopies[]> {
  try {
    const infos = await Promise.all(subjectsOfOurs.map((subject) => readStreams(manager, subject)));
    return infos.flat().map(toCopies);
  } catch (error) {
    throw asQueueError(error, 'the streams cannot be listed');
  }
}

/** One by one: a list of all streams omits those whose leader does not answer in time. */
async function readStreams(manager: JetStreamManager, subject: string): Promise<StreamInfo[]> {
  const names: string[] = [];
  for await (const name of manager.streams.names(subject)) {
    names.push(name);
  }
  return Promise.all(names.map((name) => manager.streams.info(name)));
}

function toCopies({ config, cluster }: StreamInfo): StreamCopies {
  const followers = cluster?.replicas?.filter(({ current }) => current).length ?? 0;
  return {
    onDisk: config.storage === StorageType.File && config.persist_mode !== PersistMode.Async,
    replicas: config.num_replicas,
    current: 1 + followers,
  };
}
