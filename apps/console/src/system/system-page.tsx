import { access } from '../access/index.ts';
import { formatBytes, formatCount } from '../format/index.ts';
import { useLive } from '../live/index.ts';
import { liveQueues, type Queue } from '../queues/index.ts';
import { type Column, Facts, Page, Panel, Table } from '../ui/index.ts';
import { describeDurability } from './durability.ts';

const columns: readonly Column<Queue>[] = [
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

export function SystemPage() {
  const queues = useLive(liveQueues).data.value;
  const level = queues?.[0]?.durability.level;
  const known = access.value;
  return (
    <Page title="System" lead="What accepted calls can rely on.">
      <Panel title="Durability">
        <Facts
          facts={[
            { name: 'Of an accepted call', value: level ?? 'unknown' },
            { name: 'It means', value: describeDurability(level ?? '') },
            { name: 'Gateway', value: known.kind === 'known' ? `version ${known.identity.version}` : 'unknown' },
          ]}
        />
      </Panel>
      <Panel title="Queues">
        <Table label="Queues" columns={columns} rows={queues ?? []} keyOf={({ queue }) => queue} />
      </Panel>
    </Page>
  );
}
