import type { Rate } from './rate.ts';

/** What a token may be used for. `admin` includes the others. */
export const scopes = ['invoke', 'read', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** The caller of a request, with its rights. */
export interface Caller {
  /** Name of the token; undefined if the gateway requires none. */
  readonly name: string | undefined;
  readonly scopes: ReadonlySet<Scope>;
  /** Whether the caller's token covers this function. */
  readonly covers: (functionName: string) => boolean;
  /** How many requests the caller may make; undefined for any number. */
  readonly rate: Rate | undefined;
  /** Path of the secrets that sign the callbacks of the caller's calls; undefined if the common ones do. */
  readonly callbackSecretFile?: string | undefined;
}

/** The caller at a gateway without tokens: has all rights. */
export const anyone: Caller = { name: undefined, scopes: new Set(scopes), covers: () => true, rate: undefined };

/** Knows all names of a function. */
interface NamesOfFunctions {
  readonly namesOf: (name: string) => readonly string[];
}

/** Whether the caller's token covers a function, under any of its names. */
export function coversFunction({ covers }: Caller, name: string, names: NamesOfFunctions): boolean {
  return covers(name) || names.namesOf(name).some(covers);
}

export function hasScope({ scopes }: Caller, scope: Scope): boolean {
  return scopes.has(scope) || scopes.has('admin');
}
