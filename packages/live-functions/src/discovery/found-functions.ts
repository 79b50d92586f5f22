import {
  type FileDefinition,
  type FunctionSettings,
  fileSettings,
  type KnownFunction,
  maxRegistered,
  type OpenfaasSource,
  parseFunctionEntry,
} from '@asyncfn/queue-core/functions';
import type { ListedFunction } from './list-functions.ts';

/** The settings of functions by their names. */
export type FoundFunctions = ReadonlyMap<string, FunctionSettings>;

/** Something that a listed function cannot have here. */
export interface FoundProblem {
  readonly function: string;
  readonly problems: readonly string[];
}

/** Where OpenFaaS puts functions that name no namespace. */
const openfaasNamespace = 'openfaas-fn';

/**
 * The settings of listed functions: their annotations, and `defaults` of the functions file. An annotation that cannot be
 * read is a problem, and its function is taken without annotations, as OpenFaaS does. Pure.
 */
export function toFound(
  listed: readonly ListedFunction[],
  { url }: Pick<OpenfaasSource, 'url'>,
  file: FileDefinition,
): { readonly found: FoundFunctions; readonly problems: readonly FoundProblem[] } {
  const found = new Map<string, FunctionSettings>();
  const problems: FoundProblem[] = [];
  for (const each of listed) {
    const called = calledName(each);
    const parsed = parseListed(each, url, file);
    if (parsed.problems.length > 0) {
      problems.push({ function: called, problems: parsed.problems });
    }
    if (parsed.name !== undefined && file.groups.has(parsed.name)) {
      problems.push({ function: called, problems: ['has the name of a group in the functions file, and is left out'] });
    } else if (found.size === maxRegistered) {
      problems.push({ function: called, problems: [`is one too many: ${maxRegistered} can be found`] });
      break;
    } else if (parsed.name !== undefined) {
      found.set(parsed.name, { ...parsed.settings, discovered: {} });
    }
  }
  return { found, problems };
}

function calledName({ name, namespace }: ListedFunction): string {
  return namespace === undefined ? name : `${name}.${namespace}`;
}

type ParsedListed =
  | { readonly name: string; readonly settings: FunctionSettings; readonly problems: readonly string[] }
  | { readonly name: undefined; readonly problems: readonly string[] };

function parseListed(listed: ListedFunction, url: string, file: FileDefinition): ParsedListed {
  const called = calledName(listed);
  // As a stack.yaml has it, and every client of OpenFaaS.
  const path = listed.namespace === openfaasNamespace ? listed.name : called;
  const entry = { url: `${url}/function/${path}` };
  const context = { defaultNamespace: file.defaultNamespace ?? openfaasNamespace };
  const whole = parseFunctionEntry(called, { ...entry, annotations: listed.annotations }, file.defaults, context);
  if (whole.kind === 'settings') {
    return { ...whole, problems: [] };
  }
  const plain = parseFunctionEntry(called, entry, file.defaults, context);
  return plain.kind === 'settings'
    ? { ...plain, problems: whole.problems }
    : { name: undefined, problems: whole.problems };
}

/** The functions that were there at the last look, whichever process looked. */
export function presentOf(known: readonly KnownFunction[]): string[] {
  const isPresent = ({ entry }: KnownFunction) => fileSettings(entry)?.discovered?.absent === undefined;
  return known.filter((each) => fileSettings(each.entry)?.discovered && isPresent(each)).map(({ name }) => name);
}

/**
 * The functions file with the functions that were found. What the file itself names has the settings of the file. Functions
 * that were found before and are gone are absent: they keep their settings, and are paused. Pure.
 * @param known the functions of the register
 */
export function withFound(
  file: FileDefinition,
  found: FoundFunctions,
  known: readonly KnownFunction[],
): FileDefinition {
  const gone = known.flatMap(({ name, entry }): [string, FunctionSettings][] => {
    const before = fileSettings(entry);
    return before?.discovered === undefined ? [] : [[name, { ...before, discovered: { absent: true } }]];
  });
  return { ...file, settings: new Map([...gone, ...found, ...file.settings]) };
}
