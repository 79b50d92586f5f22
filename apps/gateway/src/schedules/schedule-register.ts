import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { NextMoment, ScheduleStore, StoredSchedule } from '@asyncfn/queue-core/jetstream';
import { type ChangeContext, dueAtOf, type ScheduleEntry, timesOf } from '@asyncfn/queue-core/schedules';
import { toQueueRefusal } from '../enqueue/index.ts';
import { RefusalError, refusal } from '../problem.ts';

/** A schedule that exists. */
export interface KnownSchedule {
  readonly entry: ScheduleEntry;
  readonly revision: number;
}

/**
 * Makes of a schedule what it is to be; undefined removes it. May throw `RefusalError`.
 * @param there undefined if it does not exist
 */
export type ScheduleChange = (there: KnownSchedule | undefined, context: ChangeContext) => ScheduleEntry | undefined;

export interface ScheduleRegisterOptions {
  readonly store: Pick<ScheduleStore, 'read' | 'list' | 'put' | 'remove' | 'names'>;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** How often a change is tried if others change the same schedule. */
const maxTries = 10;
/** Most schedules. */
const maxSchedules = 20_000;
/** How long a count of the schedules is used, in milliseconds. */
const countedMs = 2_000;

/** The schedules that all processes share, for those who change them. Methods throw `QueueError` and `RefusalError`. */
export class ScheduleRegister {
  readonly #options: ScheduleRegisterOptions;
  #count = { at: Number.NEGATIVE_INFINITY, schedules: 0 };

  constructor(options: ScheduleRegisterOptions) {
    this.#options = options;
  }

  /** Undefined if it does not exist. */
  async find(name: string): Promise<KnownSchedule | undefined> {
    return toKnown(await this.#options.store.read(name));
  }

  /** All schedules, by name. */
  async list(): Promise<ScheduleEntry[]> {
    const found = new Map<string, ScheduleEntry>();
    for await (const part of this.#options.store.list()) {
      for (const { name, content } of part) {
        if (typeof content === 'object') {
          found.set(name, content);
        }
      }
    }
    return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Changes a schedule. What does not change it is not stored. Returns what it is then; undefined if it is removed. */
  async change(
    name: string,
    change: ScheduleChange,
  ): Promise<(KnownSchedule & { readonly created: boolean }) | undefined> {
    for (let tries = 0; tries < maxTries; tries++) {
      const stored = await this.#options.store.read(name);
      const there = toKnown(stored);
      const entry = change(there, { name, now: this.#options.now(), newSeries: randomUUID() });
      if (isDeepStrictEqual(entry, there?.entry)) {
        return there && { ...there, created: false };
      }
      if (there === undefined) {
        await this.#checkRoom();
      }
      const result = await this.#write(name, entry, there?.entry, stored?.revision ?? 0);
      if (result.kind === 'stored') {
        return entry && { entry, revision: result.sequence, created: there === undefined };
      }
      if (result.reason !== 'conflict') {
        throw new RefusalError({ ...toQueueRefusal(result.reason), reason: result.detail });
      }
    }
    throw new RefusalError(contended);
  }

  #write(name: string, entry: ScheduleEntry | undefined, there: ScheduleEntry | undefined, revision: number) {
    const { store } = this.#options;
    return entry === undefined
      ? store.remove(name, revision)
      : store.put(entry, revision, entry.series === there?.series ? undefined : this.#firstOf(entry));
  }

  /** Moments of a new series are those after now. */
  #firstOf(entry: ScheduleEntry): NextMoment | undefined {
    const { name, series, settings, createdAt, paused } = entry;
    const at = paused ? undefined : timesOf(settings, createdAt).next(this.#options.now());
    return at === undefined ? undefined : { moment: { v: 1, name, series, at }, dueAt: dueAtOf(entry, at) };
  }

  async #checkRoom(): Promise<void> {
    const now = performance.now();
    if (now - this.#count.at > countedMs) {
      const { all } = await this.#options.store.names();
      this.#count = { at: now, schedules: all.size };
    }
    this.#count.schedules += 1;
    if (this.#count.schedules > maxSchedules) {
      throw new RefusalError(
        refusal('too_many_schedules', `There may be ${maxSchedules} schedules.`, { 'Retry-After': '60' }),
      );
    }
  }
}

function toKnown(stored: StoredSchedule | undefined): KnownSchedule | undefined {
  if (stored?.content === 'unreadable') {
    throw new RefusalError(
      refusal('overloaded', 'The schedule was written by a later version.', { 'Retry-After': '60' }),
    );
  }
  return typeof stored?.content === 'object' ? { entry: stored.content, revision: stored.revision } : undefined;
}

const contended = refusal('overloaded', 'The schedule is being changed by others. Try again.', { 'Retry-After': '1' });
