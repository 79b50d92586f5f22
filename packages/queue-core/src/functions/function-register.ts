import { parseFunctionName } from '../function-name.ts';
import type { FunctionsDefinition } from './document/functions-document.ts';
import type { FunctionConfig } from './function-config.ts';

/** The functions that exist. Names that reach metrics, subjects or URLs come from here, never from a request. */
export class FunctionRegister {
  #definition: FunctionsDefinition;
  #paused: ReadonlySet<string> | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(definition: FunctionsDefinition = { functions: new Map(), fallback: undefined }) {
    this.#definition = definition;
  }

  /** The function of this name, also one that exists by `defaults.url` alone; undefined where there is none. */
  lookup(name: string): FunctionConfig | undefined {
    const { functions, fallback } = this.#definition;
    const registered = functions.get(name);
    if (registered !== undefined || fallback === undefined) {
      return registered;
    }
    return parseFunctionName(name) === undefined ? undefined : fallback(name);
  }

  /** Whether the function is registered by name, and does not exist by `defaults.url` alone. */
  isRegistered(name: string): boolean {
    return this.#definition.functions.has(name);
  }

  /** The functions that are registered by name. */
  list(): readonly FunctionConfig[] {
    return [...this.#definition.functions.values()];
  }

  /** Whether the function's calls are to wait until it is resumed; undefined while that is not known. */
  isPaused(name: string): boolean | undefined {
    return this.#paused?.has(name);
  }

  /**
   * Takes over a new definition and tells the listeners.
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
