import type { JetStreamManager } from '@nats-io/jetstream';
import type { Broker, QueueLogger } from '../connecting/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { probeBatches } from './batch-probe.ts';
import { GroupCommit } from './group-commit.ts';
import type { Publisher } from './publisher.ts';

/** Whether calls are stored in groups: `auto` if that is faster, as it is if the broker syncs every write. */
export const groupCommitModes = ['auto', 'on', 'off'] as const;
type GroupCommitMode = (typeof groupCommitModes)[number];

export interface BatchModeOptions {
  readonly mode: GroupCommitMode;
  readonly topology: QueueTopology;
  readonly publisher: Publisher;
  readonly logger: QueueLogger;
}

/** Groups make calls wait for one another: they must be clearly faster. */
const worthIt = 1.3;

/** Decides whether groups are worth it. Measures on every connection, since it may lead to another broker. */
export class BatchMode {
  readonly #options: BatchModeOptions;
  #grouped: boolean;

  constructor(options: BatchModeOptions) {
    this.#options = options;
    this.#grouped = options.mode === 'on';
    if (options.mode === 'auto') {
      options.topology.onReady((manager) => void this.#measure(manager));
    }
  }

  get grouped(): boolean {
    return this.#grouped;
  }

  /** Until then, the result of the last connection holds: a mistake only costs speed. */
  async #measure(manager: JetStreamManager): Promise<void> {
    const { publisher, topology, logger } = this.#options;
    try {
      const result = await probeBatches(manager, publisher, topology.layout);
      if (result !== undefined) {
        this.#grouped = result.groupedMs * worthIt < result.singlyMs;
        logger.info({ ...rounded(result), grouped: this.#grouped }, 'commit measured');
      }
    } catch (err) {
      logger.info({ err }, 'commit could not be measured');
    }
  }
}

function rounded({ singlyMs, groupedMs }: { singlyMs: number; groupedMs: number }): object {
  return { singlyMs: Number(singlyMs.toFixed(1)), groupedMs: Number(groupedMs.toFixed(1)) };
}

interface GroupCommitDependencies extends BatchModeOptions {
  readonly broker: Broker;
}

/** A publisher that stores messages in groups if the mode or a measurement of the broker says so. */
export function createGroupCommit({ broker, ...options }: GroupCommitDependencies): GroupCommit {
  const commit = new BatchMode(options);
  return new GroupCommit(options.publisher, { isWorthIt: () => commit.grouped, onLate: () => broker.suspect() });
}
