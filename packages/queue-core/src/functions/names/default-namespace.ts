import { parseFunctionName } from '../../call/index.ts';
import { entriesOf } from '../entries-of.ts';
import { isStack, nameInStack } from '../openfaas/index.ts';

/** Where OpenFaaS puts functions that name no namespace, and what its clients send. */
const openfaasNamespace = 'openfaas-fn';

/**
 * The one name of a function out of whose name this namespace may be left: without it. Subjects, consumers, caps, labels
 * and states go by this name, so that `NAME` and `NAME.NAMESPACE` are one function. Any other name is its own.
 */
export function toOneName(name: string, defaultNamespace: string | undefined): string {
  const parsed = parseFunctionName(name);
  return parsed?.namespace !== undefined && parsed.namespace === defaultNamespace ? parsed.name : name;
}

/**
 * The one name of the function that is called `name`, if a namespace may be left out of every name, and others of single
 * names.
 * @param namespaceOf the namespace that may be left out of the name of this function
 */
export function resolveName(
  name: string,
  defaultNamespace: string | undefined,
  namespaceOf: (name: string) => string | undefined,
): string {
  const oneName = toOneName(name, defaultNamespace);
  const short = oneName.split('.', 1)[0] ?? '';
  return short === oneName ? oneName : toOneName(oneName, namespaceOf(short));
}

/** All names of the function called `name`, its one name first. */
export type NamesOf = (name: string) => readonly string[];

/** Names without a default namespace. */
export const onlyName: NamesOf = (name) => [name];

/** All names of a function, its one name first. */
export function allNames(oneName: string, defaultNamespaces: readonly (string | undefined)[]): string[] {
  if (oneName.includes('.')) {
    return [oneName];
  }
  const named = new Set(defaultNamespaces.filter((namespace) => namespace !== undefined));
  return [oneName, ...[...named].map((namespace) => `${oneName}.${namespace}`)];
}

/** The namespace that may be left out of every name in a document, which can be anything. */
export function namespaceOfDocument(document: unknown, configured: string | undefined): string | undefined {
  return configured ?? (isStack(document) ? openfaasNamespace : undefined);
}

/** How the function of an entry is named, which can be anything. */
export interface EntryName {
  readonly name: string;
  /** The namespace that may be left out. */
  readonly defaultNamespace: string | undefined;
}

/** @param ofDocument the namespace that may be left out of every name. Without it that of OpenFaaS, if annotations name it */
export function nameOfEntry(key: string, entry: unknown, ofDocument: string | undefined): EntryName {
  const isOfOpenfaas = entriesOf(entry, 'annotations').some(([annotation]) => annotation.startsWith('com.openfaas.'));
  const defaultNamespace = ofDocument ?? (isOfOpenfaas ? openfaasNamespace : undefined);
  return { name: toOneName(nameInStack(key, entry), defaultNamespace), defaultNamespace };
}
