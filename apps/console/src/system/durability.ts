/** What a 202 is worth, by the level of durability that the gateway has found. */
const levels: Readonly<Record<string, string>> = {
  memory: 'Calls are kept in memory. A restart of the broker loses them.',
  single: 'Calls are on the disk of one server, written within minutes. A power failure may lose the newest.',
  quorum: 'Calls are on most servers of the cluster before they are accepted.',
  'fsync-quorum': 'Calls are on the disks of most servers of the cluster before they are accepted.',
};

export function describeDurability(level: string): string {
  return levels[level] ?? 'The gateway has not found out yet how durable an accepted call is.';
}
