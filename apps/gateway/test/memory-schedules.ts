import type { PublishResult } from '@asyncfn/queue-core';
import type { StoredRuns, StoredSchedule } from '@asyncfn/queue-core/jetstream';
import type { AppDependencies } from '../src/app.ts';
import { ScheduleRegister, type ScheduleRegisterOptions } from '../src/schedules/index.ts';

const conflict: PublishResult = { kind: 'refused', reason: 'conflict', detail: 'another change came first' };

/** Schedules in memory, without moments. */
export class MemorySchedules {
  readonly stored = new Map<string, StoredSchedule>();
  readonly runs = new Map<string, StoredRuns>();
  #revision = 0;

  readonly #store: ScheduleRegisterOptions['store'] = {
    read: async (name) => this.stored.get(name),
    put: async (entry, revision) => this.#write(entry.name, entry, revision),
    remove: async (name, revision) => this.#write(name, 'removed', revision),
    names: async () => ({ all: new Set(this.stored.keys()), withMoment: new Set() }),
    list: async function* (this: MemorySchedules) {
      yield [...this.stored.values()];
    }.bind(this),
  };

  readonly dependencies: AppDependencies['schedules'] = {
    schedules: new ScheduleRegister({ store: this.#store, now: Date.now }),
    runs: {
      readRuns: async (name) => this.runs.get(name) ?? { runs: [], sequence: 0 },
      addRun: async (name, added) => {
        this.runs.set(name, { runs: [added, ...(this.runs.get(name)?.runs ?? [])], sequence: 1 });
        return { kind: 'stored', sequence: 1, duplicate: false };
      },
    },
  };

  async #write(name: string, content: StoredSchedule['content'], revision: number): Promise<PublishResult> {
    if ((this.stored.get(name)?.revision ?? 0) !== revision) {
      return conflict;
    }
    this.#revision += 1;
    this.stored.set(name, { name, content, revision: this.#revision });
    return { kind: 'stored', sequence: this.#revision, duplicate: false };
  }
}
