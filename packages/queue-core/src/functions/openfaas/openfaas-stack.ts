import { isNamePart } from '../../call/index.ts';
import type { FunctionsContent } from '../functions-schema.ts';

export const gatewayExpectation = 'must be the URL of an OpenFaaS gateway, for example http://gateway.openfaas:8080';

/** Whether a document is OpenFaaS's `stack.yaml`: it names a provider, which a functions file of ours never does. */
export function isStack(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'provider' in value;
}

/** The name that a function of a stack is called by: `NAME`, or `NAME.NAMESPACE` if its settings have a namespace. */
export function nameInStack(key: string, settings: unknown): string {
  const hasNamespace = typeof settings === 'object' && settings !== null && 'namespace' in settings;
  const namespace = hasNamespace ? settings.namespace : undefined;
  return typeof namespace === 'string' && isNamePart(namespace) ? `${key}.${namespace}` : key;
}

/**
 * The URL of a stack's functions at its gateway, with `{name}` for the name; undefined if the document is no stack, or
 * no gateway is known.
 * @param otherwise the gateway of a stack that names none
 */
export function gatewayTemplate({ provider }: FunctionsContent, otherwise: string | undefined): string | undefined {
  const gateway = provider === undefined ? undefined : provider.gateway || otherwise;
  return gateway === undefined ? undefined : `${gateway.replace(/\/+$/, '')}/function/{name}`;
}
