import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const root = new URL('../../../../', import.meta.url);

/** A service of a compose file, as far as the tests look at it. */
export interface ComposeService {
  /** Undefined where an overlay adds to a service of another file. */
  readonly image?: string;
  /** Default: the one that every service is in which names none. */
  readonly networks?: readonly string[];
  readonly build?: { readonly args: { readonly APP: string } };
  readonly init?: boolean;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly extra_hosts?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly profiles?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
}

/** The services of a compose file, with what they merge from others filled in. */
export function readCompose(path: string): Readonly<Record<string, ComposeService>> {
  const { services } = parse(readRoot(path), { merge: true }) as { services: Record<string, ComposeService> };
  return services;
}

/** A file of the repository, by its path from the root. */
export function readRoot(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}
