const part = /^[A-Za-z0-9_-]{1,63}$/;

/** The texts that {@link isNamePart} and {@link parseFunctionName} accept, for the schemas of records. */
export const namePartPattern: string = part.source;
export const functionNamePattern = '^[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})?$';

/** A function as callers name it: `NAME` or `NAME.NAMESPACE`. */
export interface FunctionName {
  readonly name: string;
  readonly namespace: string | undefined;
}

/** Whether `text` can be a name, a namespace or a queue: `[A-Za-z0-9_-]{1,63}`. */
export function isNamePart(text: string): boolean {
  return part.test(text);
}

/** Parses `NAME` or `NAME.NAMESPACE`; undefined for anything else. */
export function parseFunctionName(text: string): FunctionName | undefined {
  const dot = text.indexOf('.');
  const name = dot < 0 ? text : text.slice(0, dot);
  const namespace = dot < 0 ? undefined : text.slice(dot + 1);
  if (!part.test(name) || (namespace !== undefined && !part.test(namespace))) {
    return undefined;
  }
  return { name, namespace };
}

/** The name of a queue, for the configuration of a process. */
export const queueNameType = namePartType('the name of a queue', 'default');

/** A namespace, for the configuration of a process. */
export const namespaceType = namePartType('a namespace', 'openfaas-fn');

function namePartType(what: string, example: string) {
  return {
    expected: `${what}, 1 to 63 letters, digits, hyphens and underscores`,
    example,
    parse: (text: string): string | undefined => (part.test(text) ? text : undefined),
    format: (name: string): string => name,
  } as const;
}
