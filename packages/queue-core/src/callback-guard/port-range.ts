/** Ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

const highest = 65_535;

/** The type of a setting that holds ports. */
export const portRangeType = {
  expected: 'a port from 1 to 65535, or a range of them such as 1024-65535',
  example: '443,8000-8999',
  parse: parsePortRange,
  format: ({ first, last }: PortRange): string => (first === last ? String(first) : `${first}-${last}`),
} as const;

function parsePortRange(text: string): PortRange | undefined {
  const [, from, to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const first = Number(from);
  const last = Number(to ?? from);
  return first >= 1 && first <= last && last <= highest ? { first, last } : undefined;
}
