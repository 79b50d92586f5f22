/** Which patterns a path fits, and with which methods: the router itself finds only what it can answer. */
export class RouteTable {
  readonly #methods = new Map<string, Set<string>>();

  /** @param pattern in fastify's words; a wildcard fits nothing but itself */
  add(pattern: string, methods: readonly string[]): void {
    this.#methods.set(pattern, new Set([...(this.#methods.get(pattern) ?? []), ...methods]));
  }

  /** The most specific pattern that matches; undefined if none does. */
  patternOf(path: string): string | undefined {
    return this.#methods.has(path) ? path : this.#patternsOf(path)[0];
  }

  /** All methods that one of the fitting patterns takes. */
  methodsOf(path: string): Set<string> {
    return new Set(this.#patternsOf(path).flatMap((pattern) => [...(this.#methods.get(pattern) ?? [])]));
  }

  #patternsOf(path: string): string[] {
    return [...this.#methods.keys()].filter((pattern) => fits(path, pattern));
  }
}

/** A parameter is one segment that is not empty. */
function fits(path: string, pattern: string): boolean {
  const segments = path.split('/');
  const wanted = pattern.split('/');
  const isFit = (segment: string, index: number): boolean => {
    const each = wanted[index];
    return each === segment || (segment !== '' && each?.startsWith(':') === true);
  };
  return segments.length === wanted.length && segments.every(isFit);
}
