/** The full names to look up in place of a name. */
export interface SearchList {
  readonly domains: readonly string[];
  /** A name with at least this many dots is looked up as it is first. */
  readonly ndots: number;
}

/** The limit of resolv.conf(5). */
const maxNdots = 15;

/**
 * The search list of a resolv.conf. If it has several lines `search` and `domain`, the last one counts.
 * @param hostname of this machine: the part after its first dot is searched if the file has no search list
 */
export function parseSearchList(text: string, hostname: string): SearchList {
  let domains = hostname.includes('.') ? [hostname.slice(hostname.indexOf('.') + 1)] : [];
  let ndots = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, '')
      .split(/\s+/)
      .filter(Boolean);
    if (keyword === 'search') {
      domains = values;
    } else if (keyword === 'domain') {
      domains = values.slice(0, 1);
    } else if (keyword === 'options') {
      ndots = readNdots(values) ?? ndots;
    }
  }
  return { domains: domains.map((domain) => domain.replace(/\.$/, '')).filter(Boolean), ndots };
}

/** In lookup order; the first that exists counts, as in glibc's resolver. */
export function toFullNames(name: string, { domains, ndots }: SearchList): readonly string[] {
  if (name.endsWith('.')) {
    return [name.slice(0, -1)];
  }
  const searched = domains.map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...searched] : [...searched, name];
}

function readNdots(options: readonly string[]): number | undefined {
  const digits = options.map((option) => /^ndots:(\d{1,9})$/.exec(option)?.[1]).findLast(Boolean);
  return digits === undefined ? undefined : Math.min(maxNdots, Number(digits));
}
