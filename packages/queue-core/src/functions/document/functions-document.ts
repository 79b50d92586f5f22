import { type DocumentProblem, describeProblem, type Found, locateProblems, readYaml } from '@asyncfn/checked-yaml';
import { parseSize } from '@asyncfn/units';
import type { ScheduleSettings } from '../../schedules/index.ts';
import { type OpenfaasSource, toSource } from '../discovery/index.ts';
import { type FunctionConfig, toFunctionConfig } from '../function-config.ts';
import { completeSettings, namespacesOf } from '../function-settings.ts';
import type { FunctionSettings, FunctionsContent, Settings } from '../functions-schema.ts';
import { nameOfEntry, namespaceOfDocument } from '../names/index.ts';
import { gatewayTemplate } from '../openfaas/index.ts';
import { secretFilesIn, webhookProblems } from '../webhook/index.ts';
import { discoverProblems } from './discover-problems.ts';
import type { DocumentContext } from './document-context.ts';
import { contentProblems, entryProblems } from './document-problems.ts';
import { checkShape } from './document-shape.ts';
import { followUpProblems, functionsOf } from './follow-up-problems.ts';
import { groupProblems } from './group-problems.ts';
import { isRead } from './read-places.ts';
import { scheduleSectionProblems, toSchedules } from './schedule-section.ts';
import { urlProblems } from './url-problems.ts';

/** Which functions there are. */
export interface FunctionsDefinition {
  readonly functions: ReadonlyMap<string, FunctionConfig>;
  /** Makes a function of every other valid name; undefined where `defaults.url` is not set. */
  readonly fallback: ((name: string) => FunctionConfig) | undefined;
  /** The namespace that may be left out of any name. Default: none. */
  readonly defaultNamespace?: string | undefined;
  /** The namespaces that may be left out of single names. Default: of none. */
  readonly namespaces?: ReadonlyMap<string, string>;
}

/** The content of a functions file. */
export interface FileDefinition extends FunctionsDefinition {
  /** The settings of each function, complete. */
  readonly settings: ReadonlyMap<string, FunctionSettings>;
  /** Defaults for every function. */
  readonly defaults: Settings;
  /** The most bytes of each queue that is limited. */
  readonly queueMaxBytes: ReadonlyMap<string, number>;
  /** The functions in each group. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** Whose functions are to be found. Default: none. */
  readonly discovery?: OpenfaasSource | undefined;
  /** The schedules. */
  readonly schedules: ReadonlyMap<string, ScheduleSettings>;
}

/** The definition of a process without a functions file. */
export function withoutFile(defaultNamespace: string | undefined): FileDefinition {
  return { ...noFile, defaultNamespace };
}

export const noFile: FileDefinition = {
  functions: new Map(),
  fallback: undefined,
  settings: new Map(),
  defaults: {},
  queueMaxBytes: new Map(),
  groups: new Map(),
  schedules: new Map(),
};

export type ParsedFunctions =
  | { readonly kind: 'functions'; readonly definition: FileDefinition }
  | { readonly kind: 'refused'; readonly problems: readonly DocumentProblem[] };

/**
 * Parses the text of a functions file, or of OpenFaaS's `stack.yaml` (YAML, so JSON too). Variables are filled in where
 * they are read. Reports every problem at once, each with its line.
 *
 * The settings of a function come, in this order, from its own settings, its OpenFaaS annotations, `defaults`, and for
 * its URL in a stack from the stack's gateway.
 */
export function parseFunctions(text: string, context: DocumentContext = {}): ParsedFunctions {
  const yaml = readYaml(text, context);
  if (yaml.kind === 'faults') {
    return { kind: 'refused', problems: yaml.faults.map((fault) => ({ ...fault, path: '' })) };
  }
  const shape = checkShape(yaml.value);
  const ofContent = shape.kind === 'content' ? contentProblems(shape.content, context) : shape.problems;
  const known = functionsOf(yaml.value, context.defaultNamespace);
  const found = [
    ...entryProblems(yaml.value, context),
    ...urlProblems(yaml.value, yaml.written),
    ...discoverProblems(yaml.value),
    ...followUpProblems(yaml.value, known.exists),
    ...groupProblems(yaml.value, known),
    ...scheduleSectionProblems(yaml.value, known, context),
    ...webhookProblems(yaml.value, context.webhooks),
    ...ofContent,
  ];
  const problems = withReferences(
    found,
    yaml.problems.filter(({ keys }) => isRead(keys, yaml.value)),
  );
  if (shape.kind === 'content' && problems.length === 0) {
    return { kind: 'functions', definition: toDefinition(shape.content, context) };
  }
  return { kind: 'refused', problems: locateProblems(problems, yaml) };
}

/** As `parseFunctions`; the problems name the file at `path` with their line: `functions.yaml:3: ...`. */
export function parseFunctionsFile(
  text: string,
  path: string,
  context: DocumentContext,
):
  | { readonly kind: 'settings'; readonly settings: FileDefinition }
  | { readonly kind: 'refused'; readonly problems: readonly string[] } {
  const parsed = parseFunctions(text, context);
  return parsed.kind === 'functions'
    ? { kind: 'settings', settings: parsed.definition }
    : { kind: 'refused', problems: parsed.problems.map((problem) => describeProblem(path, problem)) };
}

/** The secret files that the functions of a text name, each once, even if the text is wrong elsewhere. */
export function secretFilesOf(text: string, context: DocumentContext): readonly string[] {
  const yaml = readYaml(text, context);
  return yaml.kind === 'faults' ? [] : secretFilesIn(yaml.value);
}

/** If a variable could not be filled in, only that problem of the value is reported. */
function withReferences(found: readonly Found[], references: readonly Found[]): Found[] {
  const places = new Set(references.map(({ keys }) => keys.join('\0')));
  return [...references, ...found.filter(({ keys }) => !places.has(keys.join('\0')))];
}

function toDefinition(content: FunctionsContent, context: DocumentContext): FileDefinition {
  const { functions, defaults = {} } = content;
  const gateway = gatewayTemplate(content, context.openfaasUrl);
  const defaultNamespace = namespaceOfDocument(content, context.defaultNamespace);
  const inherited: Settings = gateway === undefined ? defaults : { url: gateway, ...defaults };
  const settings = new Map(
    Object.entries(functions ?? {}).map(([key, own]) => {
      const named = nameOfEntry(key, own, defaultNamespace);
      return [named.name, completeSettings(named, own, inherited)];
    }),
  );
  const configs = [...settings].map(([name, complete]) => [name, toFunctionConfig(name, complete)] as const);
  return {
    functions: new Map(configs),
    namespaces: namespacesOf(settings),
    fallback: defaults.url === undefined ? undefined : (name) => toFunctionConfig(name, defaults),
    defaultNamespace,
    settings,
    defaults: inherited,
    queueMaxBytes: toQueueMaxBytes(content),
    groups: new Map(Object.entries(content.groups ?? {})),
    discovery: content.discover && toSource(content.discover),
    schedules: toSchedules(content, defaultNamespace),
  };
}

function toQueueMaxBytes({ queues }: FunctionsContent): Map<string, number> {
  const limits = Object.entries(queues ?? {}).map(([name, { maxBytes = '' }]) => [name, parseSize(maxBytes)] as const);
  return new Map(limits.filter((limit): limit is readonly [string, number] => limit[1] !== undefined));
}

export type ParsedEntry =
  | { readonly kind: 'settings'; readonly name: string; readonly settings: FunctionSettings }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/**
 * Parses one function as it would stand in a functions file. Reports every problem at once, each with the setting that
 * it is about.
 * @param defaults values for settings that the entry omits
 * @param context of it, `defaultNamespace` and `webhooks` count. Default: there is no default namespace
 */
export function parseFunctionEntry(
  name: string,
  entry: unknown,
  defaults: Settings,
  { defaultNamespace, webhooks }: Pick<DocumentContext, 'defaultNamespace' | 'webhooks'> = {},
): ParsedEntry {
  const document = { functions: { [name]: entry }, defaults };
  const shape = checkShape(document);
  const ofContent = shape.kind === 'content' ? contentProblems(shape.content) : shape.problems;
  const found = [
    ...entryProblems(document),
    ...urlProblems(document),
    ...followUpProblems(document),
    ...webhookProblems(document, webhooks),
    ...ofContent,
  ];
  const own = shape.kind === 'content' ? shape.content.functions?.[name] : undefined;
  if (own !== undefined && found.length === 0) {
    const named = nameOfEntry(name, own, defaultNamespace);
    return { kind: 'settings', name: named.name, settings: completeSettings(named, own, defaults) };
  }
  return { kind: 'refused', problems: found.map(({ keys, problem }) => `${describePlace(keys.slice(2))} ${problem}`) };
}

/** Text that is not a plain word may be anything that a client has sent, and is not repeated (P9). */
function describePlace(keys: readonly string[]): string {
  const isPlain = keys.every((key) => /^[A-Za-z0-9_.-]{1,64}$/.test(key));
  return keys.length === 0 ? 'the function' : isPlain ? keys.join('.') : 'a setting';
}
