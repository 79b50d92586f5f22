/** The part of an `AbortSignal` that abortable work uses. */
export interface AbortWatch {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * A cheap `AbortController` for one attempt. Node's own is an event target with an entry in a register of weak
 * references: creating one for each attempt, listening and cleaning up took a quarter of the worker's own time per
 * call, most of it garbage collection.
 */
export class CheapAbortSignal implements AbortWatch {
  #aborted = false;
  #listeners: (() => void)[] = [];

  get aborted(): boolean {
    return this.#aborted;
  }

  /** Listeners are called once. A listener that is added after the abort is never called, as with an `AbortSignal`. */
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
