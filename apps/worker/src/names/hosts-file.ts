/** The addresses of each name in a hosts file, in their order (hosts(5)). Names are in lower case. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const addresses = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address, ...names] = withoutComment(line).split(/\s+/).filter(Boolean);
    for (const name of names.map(toLookupName)) {
      const known = addresses.get(name) ?? [];
      addresses.set(name, known);
      if (address !== undefined && !known.includes(address)) {
        known.push(address);
      }
    }
  }
  return addresses;
}

/** A name in the form used for comparison: in lower case, without the trailing dot of a full name. */
export function toLookupName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function withoutComment(line: string): string {
  return line.replace(/#.*/, '');
}
