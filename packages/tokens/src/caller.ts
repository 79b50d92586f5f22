import type { Rate } from './rate.ts';

/** What a token may be used for. `admin` includes the others. */
export const scopes = ['invoke', 'read', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** Who a request comes from, as far as its rights go. */
export interface Caller {
  /** Name of the token; undefined where the gateway asks for none. */
  readonly name: string | undefined;
  readonly scopes: ReadonlySet<Scope>;
  /** Whether the caller may have to do with this function. */
  readonly covers: (functionName: string) => boolean;
  /** How many requests the caller may make; undefined for any number. */
  readonly rate: Rate | undefined;
  /** Path of the secrets that sign the callbacks of the caller's calls; undefined where the common ones do. */
  readonly callbackSecretFile?: string | undefined;
}

/** Everybody, at a gateway that asks for no token. */
export const anyone: Caller = { name: undefined, scopes: new Set(scopes), covers: () => true, rate: undefined };

/** Knows under which names a function goes. */
interface NamesOfFunctions {
  readonly namesOf: (name: string) => readonly string[];
}

/** Whether the caller may have to do with a function, whichever of its names the token and the request use. */
export function coversFunction({ covers }: Caller, name: string, names: NamesOfFunctions): boolean {
  return covers(name) || names.namesOf(name).some(covers);
}

export function hasScope({ scopes }: Caller, scope: Scope): boolean {
  return scopes.has(scope) || scopes.has('admin');
}
