import type { JetStreamManager } from '@nats-io/jetstream';
import { addressOf, type CallAddress, type GenerationKey, identityIn } from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import { anyCallbackSubject, type EndedCall, type Outcome } from '../../records/index.ts';
import { retry } from '../../retry.ts';
import type { BodyStore } from '../bodies/index.ts';
import { asQueueError } from '../connecting/index.ts';
import type { DeadLetterStore } from '../dead-letters/index.ts';
import { isMessageGone } from '../error-codes.ts';
import { callbackStream, type QueueTopology } from '../layout/index.ts';
import type { CallFinder } from '../lookup/index.ts';
import { isChainOpen } from '../maintenance/index.ts';
import { lastMessage } from '../messages/index.ts';
import type { CallStore, CancelIntents } from '../store/index.ts';

export type EraseResult =
  | { readonly kind: 'erased' }
  /** Nothing is kept of such a call. */
  | { readonly kind: 'unknown' }
  /**
   * The call, the last steps of its end, a later step of its chain, or a callback is under way: nothing final is
   * erased.
   */
  | { readonly kind: 'open'; readonly what: OpenPart }
  /** The broker did not store it: it may be repeated. */
  | Extract<PublishResult, { kind: 'refused' }>;

type OpenPart = 'call' | 'chain' | 'callback';

interface CallEraserDependencies {
  readonly topology: Pick<QueueTopology, 'manager'>;
  readonly finder: Pick<CallFinder, 'findQueued'>;
  readonly calls: Pick<CallStore, 'findOutcome' | 'replaceOutcome'>;
  readonly intents: Pick<CancelIntents, 'find'>;
  readonly deadLetters: Pick<DeadLetterStore, 'remove'>;
  /** Removes the responses that are stored apart. Default: the sweeper does. */
  readonly bodies?: Pick<BodyStore, 'removeUnused'>;
}

/** A callback may be stored again while it is erased; more often than this, a worker is at it. */
const maxCallbacks = 20;
/** How often to look, and when, whether the last steps of an end are done. */
const leavingWaits: readonly number[] = [10, 20, 50, 100, 200, 400, 800];

/**
 * Erases an ended call: its stored callback, its dead letters, and all of its outcome but that it has ended. That
 * remains for as long as the outcome would have: it keeps a late attempt from ending the call again (P2), and the audit
 * of accepted calls from missing it. Each step may be repeated, and the outcome comes last, so an interrupted erasure
 * is completed by the next one.
 */
export class CallEraser {
  readonly #deps: CallEraserDependencies;

  constructor(deps: CallEraserDependencies) {
    this.#deps = deps;
  }

  /**
   * Throws `QueueError` if the broker does not answer.
   * @param address of a call that has no state, or no longer has one
   * @param ended its state
   */
  async erase(address: CallAddress, ended: EndedCall | undefined): Promise<EraseResult> {
    const which = ended === undefined ? address : addressOf(ended.outcome);
    const what = await this.#findOpenInTime(which, ended);
    if (what !== undefined) {
      return { kind: 'open', what };
    }
    const hadLetter = await this.#deps.deadLetters.remove(which);
    if (ended?.sequence === undefined) {
      return hadLetter || ended !== undefined ? { kind: 'erased' } : { kind: 'unknown' };
    }
    return this.#eraseOutcomes(ended.outcome);
  }

  /** A call leaves its queue a moment after its end, and clients learn of the end first. */
  #findOpenInTime(which: CallAddress, ended: EndedCall | undefined): Promise<OpenPart | undefined> {
    return retry(() => this.#findOpen(which, ended), {
      waits: leavingWaits,
      until: (what) => what === undefined || what === 'chain',
    });
  }

  async #findOpen(which: CallAddress, ended: EndedCall | undefined): Promise<OpenPart | undefined> {
    const { finder, intents } = this.#deps;
    // A call with an outcome is in its queue until its callback is stored or delivered.
    if ((await finder.findQueued(which)) !== undefined || (await intents.find(which)) !== undefined) {
      return 'call';
    }
    if (ended !== undefined && (await isChainOpen(this.#manager, ended.outcome))) {
      return 'chain';
    }
    return (await this.#eraseCallbacks(which)) ? undefined : 'callback';
  }

  /** False if one is due: a worker may be sending it, and would store it again. */
  async #eraseCallbacks(which: CallAddress): Promise<boolean> {
    const subject = anyCallbackSubject(which);
    for (let erased = 0; erased < maxCallbacks; erased++) {
      const message = await lastMessage(this.#manager, callbackStream, subject, { owner: which.owner });
      if (message === undefined) {
        return true;
      }
      if (message.subject.startsWith('callbacks.ready.')) {
        return false;
      }
      await this.#overwrite(message.seq);
    }
    return false;
  }

  async #overwrite(sequence: number): Promise<void> {
    try {
      await this.#manager.streams.deleteMessage(callbackStream, sequence, true);
    } catch (error) {
      if (!isMessageGone(error)) {
        throw asQueueError(error, 'a stored callback cannot be erased');
      }
    }
  }

  /** Those of all generations. */
  async #eraseOutcomes({ generation: newest, ...key }: Outcome): Promise<EraseResult> {
    for (let generation = newest; generation >= 0; generation--) {
      const result = await this.#eraseOutcome({ ...identityIn(key), generation });
      if (result.kind === 'refused') {
        return { ...result, reason: result.reason === 'conflict' ? 'overloaded' : result.reason };
      }
    }
    return { kind: 'erased' };
  }

  /** An outcome may be stored again at this very moment, to be kept for longer: then it is read again. */
  #eraseOutcome(key: GenerationKey): Promise<PublishResult> {
    const { calls } = this.#deps;
    return retry(
      async () => {
        const found = await calls.findOutcome(key);
        if (found === undefined || found.outcome.erased === true) {
          return { kind: 'stored', sequence: found?.sequence ?? 0, duplicate: true };
        }
        const result = await calls.replaceOutcome(found, toErased(found.outcome));
        if (result.kind === 'stored') {
          await this.#removeBody(found.outcome);
        }
        return result;
      },
      {
        waits: [10, 50, 250, 1_000],
        until: (result) => result.kind === 'stored' || !(result.reason === 'undecided' || result.reason === 'conflict'),
      },
    );
  }

  /** Unless a step that follows has it. Never rejects: what it cannot remove is left to the sweeper. */
  async #removeBody({ bodyObject }: Outcome): Promise<void> {
    if (bodyObject !== undefined) {
      await this.#deps.bodies?.removeUnused(bodyObject).catch(() => undefined);
    }
  }

  get #manager(): JetStreamManager {
    return this.#deps.topology.manager;
  }
}

function toErased(outcome: Outcome): Outcome {
  const { generation, function: name, queue, status, attempts, maxRetries, endedAt, batch } = outcome;
  return {
    v: 1,
    ...identityIn(outcome),
    generation,
    function: name,
    queue,
    status,
    attempts,
    maxRetries,
    endedAt,
    headers: [],
    // A batch counts its calls, erased or not.
    ...(batch !== undefined && { batch }),
    erased: true,
  };
}
