import { type CallAddress, type CallIdentity, type CallState, type EndedCall, ownerOf } from '@asyncfn/queue-core';
import type { CallWatch, CancelResult, HoldBody, PurgeTarget, WatchScope } from '@asyncfn/queue-core/jetstream';
import type { CallLookup } from '../src/auth/find-call.ts';
import type { CallOptions } from '../src/calls/call-options.ts';
import type { PurgeProgress } from '../src/purge/purge-jobs.ts';
import type { ResultDependencies } from '../src/results/index.ts';
import type { EndedWithResult } from './call-fixture.ts';

/** Calls in the states that a test sets: each under its id, or under another name if several share an id. */
export class RecordingCalls implements CallLookup {
  available = true;
  readonly states = new Map<string, CallState>();
  /** Thrown instead of an answer. */
  error: Error | undefined;

  async find({ callId, owner }: CallAddress): Promise<CallState | undefined> {
    if (this.error !== undefined) {
      throw this.error;
    }
    return this.#of(callId).find((state) => owner === undefined || ownerOf(submitterOf(state)) === owner);
  }

  /** Results that are stored apart, by their id. */
  readonly objects = new Map<string, Buffer>();
  readonly bodies: ResultDependencies['bodies'] = {
    has: async ({ id }) => this.objects.has(id),
    read: ({ id }) => piecesOf(this.objects.get(id) ?? Buffer.alloc(0)),
  };

  /** The body that a fixture has stored beside the end of a call. */
  async readResult({ outcome }: Pick<EndedCall, 'outcome'>): Promise<Uint8Array | undefined> {
    const found = this.#of(outcome.callId).find((state) => state.kind === 'ended' && state.outcome === outcome);
    return (found as EndedWithResult | undefined)?.body;
  }

  async listOwners(callId: string): Promise<CallAddress[]> {
    return this.#of(callId).map((state) => ({ callId, owner: ownerOf(submitterOf(state)) }));
  }

  #of(callId: string): CallState[] {
    return [...this.states.values()].filter((state) => idOf(state) === callId);
  }
}

async function* piecesOf(body: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < body.length; at += 1_000) {
    yield body.subarray(at, at + 1_000);
  }
}

function idOf(state: CallState): string {
  return state.kind === 'active' ? state.call.id : state.outcome.callId;
}

function submitterOf(state: CallState): string | undefined {
  return state.kind === 'active' ? state.call.submitter : state.outcome.submitter;
}

/** How a test changes calls. */
export class RecordingWatches {
  readonly open = (_call: CallIdentity, scope: WatchScope): CallWatch => {
    this.scopes.push(scope);
    const watch = new FakeWatch(() => this.#open.delete(watch));
    this.#open.add(watch);
    return watch as unknown as CallWatch;
  };
  /** Other code ends batches. */
  readonly openBatch = (): undefined => undefined;
  readonly scopes: WatchScope[] = [];
  readonly #open = new Set<FakeWatch>();

  get count(): number {
    return this.#open.size;
  }

  /** Reports a change of a call. */
  hear(): void {
    for (const watch of this.#open) {
      watch.hear();
    }
  }
}

class FakeWatch implements Disposable {
  readonly #onClose: () => void;
  #heard = false;
  #wake = (): void => {};

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  hear(): void {
    this.#heard = true;
    this.#wake();
  }

  async next(signal: AbortSignal): Promise<void> {
    if (!this.#heard && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#heard = false;
  }

  [Symbol.dispose](): void {
    this.#onClose();
  }
}

/** Cancels calls as a test says. */
export class RecordingCanceller implements Pick<CallOptions['canceller'], 'cancel'> {
  readonly asked: string[] = [];
  result: CancelResult = { kind: 'unknown' };

  /** Called while the call is cancelled, with the owner that its body counts for. */
  whenHeld: (hold: HoldBody) => void = () => {};

  async cancel({ callId, owner }: CallAddress, hold: HoldBody): Promise<CancelResult> {
    this.whenHeld(hold);
    this.asked.push(owner === undefined || owner === '~' ? callId : `${callId} of ${owner}`);
    return this.result;
  }
}

/** Purges whose progress a test sets. */
export class RecordingPurges {
  readonly asked: PurgeTarget[] = [];
  progress: PurgeProgress = { purged: 0, done: true };

  async run(target: PurgeTarget): Promise<PurgeProgress> {
    this.asked.push(target);
    return this.progress;
  }
}
