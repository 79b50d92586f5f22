import { isNamePart } from '../../function-name.ts';
import type { FunctionsContent } from '../document/functions-schema.ts';

/** Whether a document is OpenFaaS's `stack.yaml`: it names a provider, which a functions file of ours never does. */
export function isStack(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'provider' in value;
}

/** The name that a function of a stack is called by: `NAME`, or `NAME.NAMESPACE` where its settings have a namespace. */
export function nameInStack(key: string, settings: unknown): string {
  const hasNamespace = typeof settings === 'object' && settings !== null && 'namespace' in settings;
  const namespace = hasNamespace ? settings.namespace : undefined;
  return typeof namespace === 'string' && isNamePart(namespace) ? `${key}.${namespace}` : key;
}

/** Where the gateway of a stack serves its functions, with `{name}` for the name; undefined where there is no gateway. */
export function gatewayTemplate({ provider }: FunctionsContent): string | undefined {
  return provider?.gateway === undefined ? undefined : `${provider.gateway.replace(/\/+$/, '')}/function/{name}`;
}
