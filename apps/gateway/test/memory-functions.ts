import type { KnownFunction } from '@asyncfn/queue-core/functions';
import type { ChangeDecision, RegisterChange } from '@asyncfn/queue-core/jetstream';
import type { FunctionAdmin } from '../src/functions/functions.ts';

/** A register without other processes. */
export class MemoryFunctions implements FunctionAdmin {
  complete = true;
  readonly defaults = { timeout: '5m' };
  defaultNamespace: string | undefined;
  /** The pauses that the broker received. */
  readonly lanePauses: [name: string, paused: boolean][] = [];
  /** The result of a change, if it is not to succeed. */
  trouble: RegisterChange['kind'] | Error | undefined;
  readonly #known = new Map<string, KnownFunction>();
  #revision = 0;

  list(): KnownFunction[] {
    return [...this.#known.values()];
  }

  find(name: string): KnownFunction | undefined {
    return this.#known.get(name);
  }

  async read(name: string): Promise<KnownFunction | undefined> {
    return this.#known.get(name);
  }

  async change(name: string, decide: (there: KnownFunction | undefined) => ChangeDecision): Promise<RegisterChange> {
    const there = this.#known.get(name);
    const decision = decide(there);
    if (this.trouble instanceof Error) {
      throw this.trouble;
    }
    if (decision.kind === 'refuse' || this.trouble === 'refused') {
      return { kind: 'refused' };
    }
    if (this.trouble === 'contended') {
      return { kind: 'contended' };
    }
    this.#revision += 1;
    if (decision.kind === 'remove') {
      this.#known.delete(name);
    } else {
      this.#known.set(name, { name, entry: decision.entry, revision: this.#revision });
    }
    return { kind: 'changed', created: there === undefined, function: this.#known.get(name) };
  }

  async pauseFunction(name: string, paused: boolean): Promise<void> {
    this.lanePauses.push([name, paused]);
  }
}
