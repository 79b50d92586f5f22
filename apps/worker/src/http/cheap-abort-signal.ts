/** The part of an `AbortSignal` that those who can be told to give up make use of. */
export interface AbortWatch {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * What an `AbortController` is to one attempt, for those who only want to be told. Node's own is an event target with a
 * place in a register of weak references: to make one for each attempt, to listen and to let go again took a quarter of
 * the worker's own time a call, most of it garbage collection.
 */
export class CheapAbortSignal implements AbortWatch {
  #aborted = false;
  #listeners: (() => void)[] = [];

  get aborted(): boolean {
    return this.#aborted;
  }

  /** Listeners are called once. One that is added later than the abort never is, as with an `AbortSignal`. */
  abort(): void {
    this.#aborted = true;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) {
      listener();
    }
  }

  addEventListener(_: 'abort', listener: () => void): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) {
      this.#listeners.splice(at, 1);
    }
  }
}
