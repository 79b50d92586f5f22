import { type Call, identityOf } from '../../call/index.ts';
import { type FlowControl, type FlowPlace, flowPlaceOf } from '../../flows/index.ts';
import { type PublishResult, refused } from '../../publish-result.ts';
import type { QueueLogger } from '../connecting/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import type { Publisher } from '../publish/index.ts';
import { FastPath } from './fast-path.ts';
import { FlowInspector } from './flow-inspector.ts';
import { namedBy, toFlowGroup, toParked } from './flow-messages.ts';
import { FlowStore } from './flow-store.ts';
import { FlowSweeper } from './flow-sweeper.ts';
import { Nudges } from './nudges.ts';
import { done, type GiveResult, TurnGiver, type TurnGiverDependencies } from './turn-giver.ts';
import { TurnReleaser } from './turn-releaser.ts';

interface FlowsDependencies {
  readonly topology: Pick<QueueTopology, 'manager' | 'listQueues' | 'hasLane' | 'ensureFunction'>;
  readonly publisher: Pick<Publisher, 'publish'>;
  readonly lookup: TurnGiverDependencies['lookup'];
  /** The earliest that it can be at the broker: Unix time in milliseconds. */
  readonly earliest: () => number;
  readonly logger: QueueLogger;
}

/** A call that has a flow key, or none: then each of these methods does nothing. */
type MaybeKeyed = Pick<Call, 'id' | 'function' | 'queue' | 'submitter' | 'startTime' | 'flow'>;

/** The turns of flow keys: all that a process does about them. */
export class Flows {
  readonly sweeper: FlowSweeper;
  /** What operators see. */
  readonly inspector: FlowInspector;
  readonly #store: FlowStore;
  readonly #giver: TurnGiver;
  readonly #nudges: Nudges;
  readonly #fastPath: FastPath;

  constructor({ topology, publisher, lookup, earliest, logger }: FlowsDependencies) {
    this.#store = new FlowStore(topology, publisher);
    this.#giver = new TurnGiver({ store: this.#store, topology, lookup, earliest });
    this.#nudges = new Nudges(this.#giver, this.#store, logger);
    const releaser = new TurnReleaser({ store: this.#store, giver: this.#giver });
    this.#fastPath = new FastPath({ store: this.#store, giver: this.#giver, releaser, lookup, earliest, logger });
    this.inspector = new FlowInspector({ topology, store: this.#store, lookup });
    this.sweeper = new FlowSweeper({ topology, store: this.#store, giver: this.#giver, releaser });
  }

  /**
   * Stores a call as ready, with its turn, if its key is idle. Undefined if it is not: then nothing is stored, and the call
   * has to wait with others. Its lane must be open. Throws `QueueError` if the broker does not answer.
   * @param isOver whether the caller no longer waits for the answer
   */
  acceptAtOnce(call: Call, isOver: () => boolean): Promise<PublishResult | undefined> {
    return this.#fastPath.accept(call, isOver);
  }

  /**
   * Gives turns after a call was stored with those that wait, without waiting for it.
   * @param sequence at or after that of its notice
   */
  stored(call: MaybeKeyed, sequence: number): void {
    const place = flowPlaceOf(call);
    if (place !== undefined) {
      this.#nudges.add({ place, named: namedBy(call), upTo: sequence });
    }
  }

  /** Ends the turn of a call, if it has one, and gives the next. May be repeated. Throws `QueueError`. */
  async ended(call: MaybeKeyed): Promise<GiveResult> {
    const place = flowPlaceOf(call);
    if (place === undefined) {
      return done;
    }
    const result = await this.#fastPath.end(place, call);
    return result ?? (await this.#giver.give(place, { ended: [identityOf(call)] }));
  }

  /** As `ended`, for a call that was removed from its queue, whether it had its turn or waited. Throws `QueueError`. */
  async removed(call: MaybeKeyed): Promise<GiveResult> {
    const place = flowPlaceOf(call);
    if (place === undefined) {
      return done;
    }
    await this.#store.removePlace(place, identityOf(call));
    return await this.#giver.give(place, { ended: [identityOf(call)] });
  }

  /** Pauses, resumes, pins or unpins a key in a queue. May be repeated. Throws `QueueError`. */
  control(place: FlowPlace, control: FlowControl): Promise<GiveResult> {
    return this.#giver.give(place, { control });
  }

  /**
   * Stores a call that was delivered without its turn with those that wait, at their end. `conflict`: that was done before,
   * or the call was removed from its queue. Never throws.
   * @param delivered the sequence of the delivered message
   */
  async park(call: Call, delivered: number): Promise<PublishResult> {
    const place = flowPlaceOf(call);
    if (place === undefined) {
      return refused('conflict', 'the call has no flow key');
    }
    const result = await this.#store.store(call.queue, toFlowGroup(call, toParked(call, delivered)));
    if (result.kind === 'stored') {
      this.stored(call, result.sequence);
    }
    return result;
  }
}
