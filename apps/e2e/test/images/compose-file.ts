import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const root = new URL('../../../../', import.meta.url);

/** A service of a compose file, with the parts that the tests check. */
export interface ComposeService {
  /** Undefined if an overlay adds to a service of another file. */
  readonly image?: string;
  /** Default: the network of every service that names none. */
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

/** The services of a compose file, with the parts that they merge from others. */
export function readCompose(path: string): Readonly<Record<string, ComposeService>> {
  const { services } = parse(readRoot(path), { merge: true }) as { services: Record<string, ComposeService> };
  return services;
}

/** A file of the repository, by its path from the root. */
export function readRoot(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}
