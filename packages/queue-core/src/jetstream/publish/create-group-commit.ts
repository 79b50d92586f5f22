import type { Broker, QueueLogger } from '../connecting/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { GroupCommit } from './group-commit.ts';
import type { Publisher } from './publisher.ts';
import { readSyncMode } from './sync-mode.ts';

export interface GroupCommitDependencies {
  /** Whether messages are stored in groups: `auto` if the broker is known to sync every write of a single replica. */
  readonly mode: 'auto' | 'on' | 'off';
  /** Whether the operator states that every server syncs every write, for servers that do not report it. */
  readonly declaredSyncAlways: boolean;
  readonly broker: Pick<Broker, 'connection' | 'domain' | 'suspect'>;
  readonly topology: Pick<QueueTopology, 'onReady'> & { readonly layout: Pick<QueueTopology['layout'], 'replicas'> };
  readonly publisher: Pick<Publisher, 'publish' | 'timeoutMs'>;
  readonly logger: QueueLogger;
}

/**
 * A publisher that stores messages in groups if that is faster: each message costs a sync of its own if the broker
 * syncs every write of a single replica. Replicated streams group their syncs themselves. A mistake only costs speed.
 */
export function createGroupCommit(dependencies: GroupCommitDependencies): GroupCommit {
  const { mode, declaredSyncAlways, broker, topology, publisher, logger } = dependencies;
  const { replicas } = topology.layout;
  let grouped = mode === 'on';
  const refresh = async (): Promise<void> => {
    const sync = await readSyncMode(broker, declaredSyncAlways);
    grouped = sync === 'always';
    logger.info({ sync, replicas, grouped }, 'group commit decided');
  };
  if (mode === 'auto' && replicas === 1) {
    // A new connection may lead to another broker.
    topology.onReady(() => void refresh());
  }
  return new GroupCommit(publisher, { isWorthIt: () => grouped, onLate: () => broker.suspect() });
}
