import { Resolver } from 'node:dns/promises';

/** The addresses of a host name in DNS. */
export interface NameAnswer {
  /** In the order in which to try them. Never empty. */
  readonly addresses: readonly string[];
  /** How long they are valid. */
  readonly ttlMs: number;
}

export interface DnsQueryOptions {
  /** `address` or `address:port` of each server, as `Resolver.setServers` takes them. None: those of this machine. */
  readonly servers: readonly string[];
  /** Time for the answer, however many servers and names are tried. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

interface AddressRecord {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

/** Time for the answer to one packet; the second try of each server has twice as long. */
const tryMs = 1_500;
/** Once the addresses of one family are known, the server has this long for those of the other one (RFC 8305, 3). */
const otherFamilyMs = 250;

/** The codes by which a server says that a name has no address. Then the next name of a search list is tried. */
const absent: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'ESERVFAIL']);

/** A lookup that has ended without an address. `code` is one of c-ares', such as `ENOTFOUND` or `ETIMEOUT`. */
export class NameLookupError extends Error {
  override readonly name = 'NameLookupError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Asks DNS for the first of the names that has an address. Sends its own packets (c-ares): no thread waits for the
 * answer, and nothing is left when the time is up or `signal` aborts.
 *
 * @throws NameLookupError
 */
export async function queryAddresses(names: readonly string[], options: DnsQueryOptions): Promise<NameAnswer> {
  const { servers, deadlineMs, signal } = options;
  // One resolver for each lookup, since `cancel` ends all queries of its resolver. It costs 80 µs and rereads the
  // servers.
  const resolver = new Resolver({ timeout: tryMs, tries: 2 });
  const stop = new AbortController();
  const cancel = (): void => {
    stop.abort();
    resolver.cancel();
  };
  const timer = setTimeout(cancel, deadlineMs);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    if (servers.length > 0) {
      resolver.setServers(servers);
    }
    return await queryFirst(resolver, names, stop.signal);
  } catch (error) {
    throw stop.signal.aborted && !signal.aborted ? tooSlow(deadlineMs, error) : asLookupError(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}

async function queryFirst(resolver: Resolver, names: readonly string[], stopped: AbortSignal): Promise<NameAnswer> {
  let failure: unknown = new NameLookupError('ECANCELLED', 'the lookup of the host name was cancelled');
  for (const name of names) {
    if (stopped.aborted) {
      break;
    }
    const answer = await queryBothFamilies(resolver, name);
    if (!(answer instanceof Error)) {
      return answer;
    }
    failure = answer;
    if (!absent.has(codeOf(answer))) {
      break;
    }
  }
  throw failure;
}

async function queryBothFamilies(resolver: Resolver, name: string): Promise<NameAnswer | Error> {
  let timer: NodeJS.Timeout | undefined;
  const hurry = (records: readonly AddressRecord[]): readonly AddressRecord[] => {
    timer ??= setTimeout(() => resolver.cancel(), otherFamilyMs);
    return records;
  };
  const [ipv4, ipv6] = await Promise.allSettled([
    resolver.resolve4(name, { ttl: true }).then(hurry),
    resolver.resolve6(name, { ttl: true }).then(hurry),
  ]);
  clearTimeout(timer);
  const records = alternate(recordsOf(ipv4), recordsOf(ipv6));
  if (records.length > 0) {
    const ttlMs = Math.min(...records.map(({ ttl }) => ttl)) * 1_000;
    return { addresses: records.map(({ address }) => address), ttlMs };
  }
  return worse(ipv4, ipv6);
}

/** Families alternate, so that both are among the first few (RFC 8305, 4). */
function alternate<T>(first: readonly T[], second: readonly T[]): readonly T[] {
  const pairs = Array.from({ length: Math.max(first.length, second.length) }, (_, index) => [
    ...first.slice(index, index + 1),
    ...second.slice(index, index + 1),
  ]);
  return pairs.flat();
}

function recordsOf(result: PromiseSettledResult<readonly AddressRecord[]>): readonly AddressRecord[] {
  return result.status === 'fulfilled' ? result.value : [];
}

/** The more informative failure: a server that does not answer for one family may know the name. */
function worse(...results: readonly PromiseSettledResult<unknown>[]): Error {
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [asLookupError(result.reason)] : []));
  return (
    failures.find((failure) => !absent.has(codeOf(failure))) ??
    failures[0] ??
    new NameLookupError('ENODATA', 'the host name has no address')
  );
}

function tooSlow(deadlineMs: number, cause: unknown): NameLookupError {
  return new NameLookupError('ETIMEOUT', `no DNS server has returned the host's address within ${deadlineMs} ms`, {
    cause,
  });
}

function asLookupError(error: unknown): NameLookupError {
  if (error instanceof NameLookupError) {
    return error;
  }
  const cause = error instanceof Error ? error : new Error(String(error));
  return new NameLookupError(codeOf(cause), `the host's address is not known: ${cause.message}`, { cause });
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
