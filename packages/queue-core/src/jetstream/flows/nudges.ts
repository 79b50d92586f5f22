import type { FlowLimits, FlowPlace } from '../../flows/index.ts';
import type { QueueLogger } from '../connecting/index.ts';
import type { FlowStore } from './flow-store.ts';
import type { TurnGiver } from './turn-giver.ts';

interface Nudge {
  readonly place: FlowPlace;
  /** What the latest call has named. */
  readonly named: FlowLimits;
  /** Notices up to this sequence are removed when its turns are given. */
  readonly upTo: number;
}

interface Waiting extends Nudge {
  /** How many notices that are. */
  readonly count: number;
}

/** Keys whose turns are given at once. */
const maxAtOnce = 64;
/** Most keys that wait for it. The notices of others stay for the sweeper. */
const maxWaiting = 20_000;

/**
 * Gives turns after calls were stored. Calls of one key that come meanwhile share the next round: however many they are, the
 * key has one round at a time.
 */
export class Nudges {
  readonly #giver: Pick<TurnGiver, 'give'>;
  readonly #store: Pick<FlowStore, 'removeNotices'>;
  readonly #logger: QueueLogger;
  /** By queue and key. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #underWay = new Set<string>();

  constructor(giver: Pick<TurnGiver, 'give'>, store: Pick<FlowStore, 'removeNotices'>, logger: QueueLogger) {
    this.#giver = giver;
    this.#store = store;
    this.#logger = logger;
  }

  add(nudge: Nudge): void {
    const name = `${nudge.place.queue}/${nudge.place.id}`;
    const known = this.#waiting.get(name);
    if (known === undefined && this.#waiting.size >= maxWaiting) {
      return;
    }
    const { place, upTo } = nudge;
    const named = { ...known?.named, ...nudge.named };
    const count = (known?.count ?? 0) + 1;
    this.#waiting.set(name, { place, named, upTo: Math.max(upTo, known?.upTo ?? 0), count });
    if (!this.#underWay.has(name)) {
      this.#startNext();
    }
  }

  #startNext(): void {
    if (this.#underWay.size >= maxAtOnce) {
      return;
    }
    for (const [name, nudge] of this.#waiting) {
      if (!this.#underWay.has(name)) {
        this.#waiting.delete(name);
        this.#underWay.add(name);
        void this.#run(nudge).then(() => {
          this.#underWay.delete(name);
          this.#startNext();
        });
        return;
      }
    }
  }

  /** If it fails, the notice stays for the sweeper. */
  async #run({ place, named, upTo, count }: Waiting): Promise<void> {
    try {
      const result = await this.#giver.give(place, { named });
      if (result.kind === 'done') {
        await this.#store.removeNotices(place, upTo, count);
      } else {
        this.#warn(place, { detail: result.detail });
      }
    } catch (err) {
      this.#warn(place, { err });
    }
  }

  #warn({ queue, function: name }: FlowPlace, fields: object): void {
    this.#logger.warn({ queue, function: name, ...fields }, 'turns of a flow key could not be given yet');
  }
}
