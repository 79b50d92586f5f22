import { parseFunctionName } from '../call/index.ts';
import type { FunctionsDefinition } from './document/index.ts';
import { defaultQueue, type FunctionConfig } from './function-config.ts';
import { allNames, resolveName } from './names/index.ts';

/** The functions that exist. Names that reach metrics, subjects or URLs come from here, never from a request. */
export class FunctionRegister {
  #definition: FunctionsDefinition;
  #paused: ReadonlySet<string> | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(definition: FunctionsDefinition = { functions: new Map(), fallback: undefined }) {
    this.#definition = definition;
  }

  /**
   * The function of this name, including one that exists only by `defaults.url`; undefined if none does. Its own `name`
   * is the one that `resolve` gives.
   */
  lookup(name: string): FunctionConfig | undefined {
    const { functions, fallback } = this.#definition;
    const oneName = this.resolve(name);
    const registered = functions.get(oneName);
    if (registered !== undefined || fallback === undefined) {
      return registered;
    }
    return parseFunctionName(oneName) === undefined ? undefined : fallback(oneName);
  }

  /** The one name of the function that is called `name`: without the namespace that may be left out. */
  resolve(name: string): string {
    const { functions, namespaces, defaultNamespace } = this.#definition;
    if (functions.has(name)) {
      return name;
    }
    return resolveName(name, defaultNamespace, (short) => namespaces?.get(short));
  }

  /** All names of the function called `name`, the one name first: stored messages may have any of them. */
  namesOf(name: string): readonly string[] {
    const { namespaces, defaultNamespace } = this.#definition;
    const oneName = this.resolve(name);
    return allNames(oneName, [defaultNamespace, namespaces?.get(oneName)]);
  }

  /** Whether a function is registered under this one name, and does not exist only by `defaults.url`. */
  isRegistered(name: string): boolean {
    return this.#definition.functions.has(name);
  }

  /** The functions that are registered by name. */
  list(): readonly FunctionConfig[] {
    return [...this.#definition.functions.values()];
  }

  /** The default queue, and those of the functions that are registered by name. */
  queues(): ReadonlySet<string> {
    return new Set([defaultQueue, ...this.list().map(({ queue }) => queue)]);
  }

  /** Whether the function is paused; undefined while unknown. */
  isPaused(name: string): boolean | undefined {
    return this.#paused?.has(this.resolve(name));
  }

  /**
   * Applies a new definition and calls the listeners.
   * @param paused the functions that are paused. Default: not known
   */
  replace(definition: FunctionsDefinition, paused?: ReadonlySet<string>): void {
    this.#definition = definition;
    this.#paused = paused;
    for (const listener of this.#listeners) {
      listener();
    }
  }

  /** Calls `listener` after every change, until the function that it returns is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The names of functions, for code that needs only names. */
export type FunctionNames = Pick<FunctionRegister, 'resolve' | 'namesOf'>;
