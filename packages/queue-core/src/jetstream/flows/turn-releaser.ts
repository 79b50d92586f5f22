import type { FlowPlace, FlowState } from '../../flows/index.ts';
import { refused } from '../../publish-result.ts';
import type { FlowStore } from './flow-store.ts';
import { type GiveResult, isConflict, type TurnGiver } from './turn-giver.ts';

export interface TurnReleaserDependencies {
  readonly store: Pick<FlowStore, 'read' | 'write' | 'findGone'>;
  readonly giver: Pick<TurnGiver, 'give'>;
}

/** `kept`: the calls are there, or do not have their turn. */
export type ReleaseResult = GiveResult | { readonly kind: 'kept' };

const kept: ReleaseResult = { kind: 'kept' };

/** Other processes change the same key at the same time. */
const maxTries = 10;

/**
 * Ends the turns of calls that are gone, or that have never become ready. The ready copy of such a call may still be on its way from a
 * gateway, and is stored only while the state is the one that gives the call its turn. So the state is stored once more, as it is,
 * before the calls are looked for: a copy that has not arrived by then is refused.
 */
export class TurnReleaser {
  readonly #deps: TurnReleaserDependencies;

  constructor(deps: TurnReleaserDependencies) {
    this.#deps = deps;
  }

  /** May be repeated. Throws `QueueError` if the broker does not answer. */
  async release(place: FlowPlace, calls: FlowState['running']): Promise<ReleaseResult> {
    const { store, giver } = this.#deps;
    for (let tries = 0; tries < maxTries; tries++) {
      const { state, sequence } = await store.read(place);
      const suspects = calls.filter((call) => state?.running.some((each) => isSameCall(each, call)));
      if (state === undefined || suspects.length === 0) {
        return kept;
      }
      const stored = await store.write(place, state, sequence);
      if (isConflict(stored)) {
        continue;
      }
      if (stored.kind === 'refused') {
        return stored;
      }
      const ended = (await store.findGone(place, suspects)).map(([callId, startTime]) => ({ callId, startTime }));
      if (ended.length === 0) {
        return kept;
      }
      const result = await giver.give(place, { ended, under: stored.sequence, isRepeated: false });
      if (!isConflict(result)) {
        return result;
      }
    }
    return refused('overloaded', 'the flow key changes faster than its turns can be ended');
  }
}

function isSameCall([id, startTime]: FlowState['running'][number], call: FlowState['running'][number]): boolean {
  return id === call[0] && startTime === call[1];
}
