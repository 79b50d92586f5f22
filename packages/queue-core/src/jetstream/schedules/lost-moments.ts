import { dueAtOf, type ScheduleEntry, timesOf } from '../../schedules/index.ts';
import type { ScheduleStore } from './schedule-store.ts';

/** Most schedules that are looked at in a round. */
const maxLooks = 200;

/**
 * Finds schedules without a next moment, and gives them one. Every step stores schedule and moment together, so only damage
 * leads to that: a message that cannot be read, or one that was removed by hand. Safe in many processes at once.
 */
export class LostMoments {
  readonly #store: Pick<ScheduleStore, 'names' | 'read' | 'follow'>;
  /** Those without a moment in the round before: a moment may be on its way from `later` to `due`. */
  #suspects: ReadonlySet<string> = new Set();

  constructor(store: Pick<ScheduleStore, 'names' | 'read' | 'follow'>) {
    this.#store = store;
  }

  /**
   * Returns how many moments were stored. Throws `QueueError`.
   * @param now Unix time in milliseconds: the moment is the first one after it
   */
  async restore(now: number): Promise<number> {
    const { all, withMoment } = await this.#store.names();
    const without = [...all].filter((name) => !withMoment.has(name));
    const lost = without.filter((name) => this.#suspects.has(name));
    this.#suspects = new Set(without);
    // Paused schedules have none: a random part, so that they do not keep others from being found.
    const start = Math.floor(Math.random() * lost.length);
    let restored = 0;
    for (const name of [...lost.slice(start), ...lost.slice(0, start)].slice(0, maxLooks)) {
      restored += (await this.#restoreOne(name, now)) ? 1 : 0;
    }
    return restored;
  }

  async #restoreOne(name: string, now: number): Promise<boolean> {
    const stored = await this.#store.read(name);
    const entry = stored?.content;
    if (stored === undefined || typeof entry !== 'object' || entry.paused) {
      return false;
    }
    const next = firstAfter(entry, now);
    const result = next && (await this.#store.follow({ name, basis: stored.revision, next }));
    return result?.kind === 'stored';
  }
}

function firstAfter(entry: ScheduleEntry, now: number) {
  const { name, series, settings, createdAt } = entry;
  const at = timesOf(settings, createdAt).next(now);
  return at === undefined ? undefined : { moment: { v: 1 as const, name, series, at }, dueAt: dueAtOf(entry, at) };
}
