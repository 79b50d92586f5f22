import { formatAgo, formatBytes, formatCount, formatMany } from '../format/index.ts';
import { useLive } from '../live/index.ts';
import { liveProcesses, type Process } from '../processes/index.ts';
import { liveQueues, type Queue } from '../queues/index.ts';
import { Badge, type Column, Notice, Page, Panel, Table } from '../ui/index.ts';
import { describeDurability } from './durability.ts';

const queueColumns: readonly Column<Queue>[] = [
  { key: 'queue', title: 'Queue', sortBy: ({ queue }) => queue, show: ({ queue }) => queue },
  { key: 'level', title: 'Durability', show: ({ durability }) => durability.level },
  { key: 'storage', title: 'Storage', wide: true, show: ({ durability }) => durability.storage },
  {
    key: 'replicas',
    title: 'Replicas',
    number: true,
    show: ({ durability }) => formatCount(durability.replicas),
  },
  { key: 'bytes', title: 'Used', number: true, sortBy: ({ bytes }) => bytes, show: ({ bytes }) => formatBytes(bytes) },
  {
    key: 'limit',
    title: 'Limit',
    number: true,
    wide: true,
    show: ({ maxBytes }) => (maxBytes === null ? 'none' : formatBytes(maxBytes)),
  },
];

const processColumns: readonly Column<Process>[] = [
  {
    key: 'id',
    title: 'Process',
    sortBy: ({ kind, id }) => kind + id,
    show: ({ kind, id, version }) => (
      <>
        {kind === 'gateway' ? 'Gateway' : 'Worker'}
        <span class="one-line small quiet">
          {id}, version {version}
        </span>
      </>
    ),
  },
  {
    key: 'started',
    title: 'Started',
    wide: true,
    sortBy: ({ startedAt }) => startedAt,
    show: ({ startedAt }) => formatAgo(startedAt),
  },
  {
    key: 'server',
    title: 'NATS connection',
    wide: true,
    show: ({ server, reconnects }) => (reconnects === 0 ? server : `${server}, ${formatMany(reconnects, 'reconnect')}`),
  },
  {
    key: 'calls',
    title: 'Calls',
    number: true,
    show: ({ slots, inFlight = 0 }) => (slots === undefined ? '' : `${formatCount(inFlight)} of ${formatCount(slots)}`),
  },
  {
    key: 'memory',
    title: 'Memory',
    number: true,
    sortBy: ({ memoryBytes }) => memoryBytes,
    show: ({ memoryBytes }) => formatBytes(memoryBytes),
  },
];

export function SystemPage() {
  const queues = useLive(liveQueues).data.value;
  const level = queues?.[0]?.durability.level ?? 'unknown';
  const known = useLive(liveProcesses).data.value;
  return (
    <Page title="System" lead="The processes, and what accepted calls can rely on.">
      <div class="columns">
        <Panel title="Durability" aside={<Badge tone={level === 'memory' ? 'warn' : 'accent'}>{level}</Badge>}>
          <p>{describeDurability(level)}</p>
        </Panel>
        <Panel title="Conservation">{known !== undefined && <Conservation audited={known.audited} />}</Panel>
      </div>
      <Panel title="Processes">
        <Table label="Processes" columns={processColumns} rows={known?.processes ?? []} keyOf={({ id }) => id} />
      </Panel>
      <Panel title="Queues">
        <Table label="Queues" columns={queueColumns} rows={queues ?? []} keyOf={({ queue }) => queue} />
      </Panel>
    </Page>
  );
}

interface Audited {
  readonly ended: number;
  readonly missing: number;
  readonly unknown: number;
}

/** Whether every accepted call has ended: workers follow a sample of them. */
function Conservation({ audited: { ended, missing } }: { audited: Audited }) {
  if (missing > 0) {
    return (
      <Notice tone="bad" title={`${formatMany(missing, 'accepted call is', 'accepted calls are')} missing.`}>
        They are neither in a queue nor ended. Look for a stream that was deleted or restored; the log of the workers
        names the calls.
      </Notice>
    );
  }
  return (
    <Notice tone="good" title="No accepted call is missing.">
      {ended === 0
        ? 'Workers follow a sample of the accepted calls to their end. None was followed yet.'
        : `${formatMany(ended, 'accepted call was', 'accepted calls were')} followed to the end since the workers started.`}
    </Notice>
  );
}
