import type { FunctionLoad, QueueState } from '@asyncfn/queue-core/jetstream';
import type { AppDependencies } from '../src/app.ts';

/** Queues that a test fills. */
export class MemoryQueues
  implements Pick<AppDependencies['queues']['inspector'], 'countCalls' | 'load' | 'list' | 'find'>
{
  /** Calls of a function that have not ended. */
  readonly calls = new Map<string, number>();
  readonly loads = new Map<string, FunctionLoad>();
  readonly states: QueueState[] = [];
  trouble: Error | undefined;

  async countCalls(name: string): Promise<number> {
    return this.#answer(this.calls.get(name) ?? 0);
  }

  async load(name: string): Promise<FunctionLoad> {
    return this.#answer(this.loads.get(name) ?? { pending: 0, inFlight: 0, oldestAtMs: undefined });
  }

  async list(): Promise<QueueState[]> {
    return this.#answer(this.states);
  }

  async find(queue: string): Promise<QueueState | undefined> {
    return this.#answer(this.states.find((state) => state.queue === queue));
  }

  #answer<T>(value: T): T {
    if (this.trouble !== undefined) {
      throw this.trouble;
    }
    return value;
  }
}
