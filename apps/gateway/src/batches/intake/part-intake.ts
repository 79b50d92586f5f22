import {
  addressOf,
  type BatchItem,
  type Call,
  emptyBody,
  flowPlaceOf,
  identityOf,
  mayBeStored,
  type Outcome,
} from '@asyncfn/queue-core';
import { type AcceptOptions, type AcceptResult, type CallStore, toCancelled } from '@asyncfn/queue-core/jetstream';
import type { Caller } from '@asyncfn/tokens';
import type { CallLookup } from '../../auth/index.ts';
import {
  type AcceptContext,
  type CallDraft,
  type CallIntake,
  completeCall,
  draftCall,
  toQueueRefusal,
} from '../../enqueue/index.ts';
import { type Refusal, RefusalError, refusal, toProblem } from '../../problem.ts';
import type { BatchItemRequest } from '../items/index.ts';

export interface PartIntakeOptions extends Omit<AcceptContext, 'createCallId'> {
  readonly queue: CallIntake;
  readonly store: Pick<CallStore, 'recordOutcome'>;
  readonly calls: Pick<CallLookup, 'find'>;
  /** Called for each call that was stored. */
  readonly onStored: (call: Call) => void;
  readonly maxBodyBytes: number;
}

/** The batch that the items belong to. */
export interface BatchOrigin {
  readonly batchId: string;
  /** `X-Start-Time` of all calls. */
  readonly startTime: string;
  readonly caller: Caller;
  /** Address of the client's end of the connection. */
  readonly peer: string | undefined;
  /** Headers of the request that all items share: names and values in turn. */
  readonly sharedHeaders: readonly string[];
  /** The call that all of them follow, unless they say that they follow another one; undefined for none. */
  readonly parentId: string | undefined;
  /** The items have the headers of the request, which may be those of a callback. */
  readonly mayBeCallback: boolean;
  /** An earlier request with the same key may have stored some of the calls. */
  readonly resumed: boolean;
}

/** Why a call ends that the broker has not confirmed. */
const notAccepted = 'not_accepted';
/** Each request of a key may use up an id of an item. */
const maxFurtherIds = 16;

const noKey = refusal(
  'invalid_idempotency_key',
  'An item has no Idempotency-Key of its own: that of the batch covers it.',
);
const noCallback = refusal('invalid_batch_item', 'The headers of an item must not be those of a callback.');

/** Stores a part of a batch: each item goes through the checks of a single enqueue, and gets an answer of its own. */
export class PartIntake {
  readonly #options: PartIntakeOptions;

  constructor(options: PartIntakeOptions) {
    this.#options = options;
  }

  /**
   * Checks all of them at once, and stores those of one flow key in their order.
   * @param first index of the first one in the batch
   * @throws RefusalError if it stays unknown what is stored
   */
  store(origin: BatchOrigin, items: readonly (BatchItemRequest | Refusal)[], first: number): Promise<BatchItem[]> {
    const lines = new Lines();
    return Promise.all(
      items.map(async (item, at) => {
        const index = first + at;
        const stored = await this.#storeOne(origin, item, index, lines);
        return 'problem' in stored ? { problem: { ...stored.problem, index } } : stored;
      }),
    );
  }

  async #storeOne(
    origin: BatchOrigin,
    item: BatchItemRequest | Refusal,
    index: number,
    lines: Lines,
  ): Promise<BatchItem> {
    const draft = item.kind === 'refused' ? item : this.#draft(origin, item, index);
    if (draft.kind === 'refused' || item.kind === 'refused') {
      return problem(draft.kind === 'refused' ? draft : noCallback);
    }
    const call: Call = {
      ...completeCall(draft, origin.startTime, item.body),
      batch: { id: origin.batchId, index },
    };
    const place = lines.join(call);
    try {
      return await this.#accept(origin, call, {
        clientChoseId: draft.clientChoseId,
        unique: draft.clientChoseId || origin.resumed,
        place,
      });
    } finally {
      place?.onSent();
    }
  }

  /**
   * An earlier request with the key may have prevented the call: then its id is used up, and the item gets the next
   * one.
   */
  async #accept(origin: BatchOrigin, call: Call, options: ItemOptions): Promise<BatchItem> {
    for (let number = 0; number <= maxFurtherIds; number++) {
      const numbered = number === 0 ? call : { ...call, id: `${call.id}-${number}` };
      const result = await this.#options.queue.accept(numbered, options);
      const item = await this.#judge(origin, numbered, result);
      if (item !== 'kept out') {
        return item;
      }
      if (options.clientChoseId) {
        return problem(toQueueRefusal('conflict'));
      }
    }
    return problem(toQueueRefusal('unavailable'));
  }

  #draft(
    { batchId, caller, peer, sharedHeaders, parentId, mayBeCallback }: BatchOrigin,
    item: BatchItemRequest,
    index: number,
  ) {
    const { maxBodyBytes } = this.#options;
    if (item.body.length > maxBodyBytes) {
      return refusal('body_too_large', `The body must not exceed ${maxBodyBytes} bytes.`);
    }
    const rawHeaders = [...without(sharedHeaders, item.rawHeaders), ...item.rawHeaders];
    const context = { ...this.#options, createCallId: () => `${batchId}-${index}` };
    const draft: CallDraft | Refusal = draftCall({ url: item.url, rawHeaders, peer, caller }, context);
    if (draft.kind === 'refused') {
      return draft;
    }
    if (draft.headers.idempotencyKey !== undefined) {
      return noKey;
    }
    if (!draft.derivedId) {
      return parentId === undefined ? draft : following(draft, parentId);
    }
    // The batch is derived from the callback, and the id from the batch.
    return mayBeCallback ? { ...draft, id: context.createCallId(), derivedId: false } : noCallback;
  }

  async #judge(origin: BatchOrigin, call: Call, result: AcceptResult): Promise<BatchItem | 'kept out'> {
    if (result.kind === 'stored') {
      this.#options.onStored(call);
      return accepted(call);
    }
    if (result.kind !== 'refused') {
      return problem(noKey); // only with a key
    }
    const refused = problem(toQueueRefusal(result.reason));
    if (result.reason === 'conflict' && origin.resumed) {
      const known = await this.#find(call, origin);
      return isKeptOut(known) ? 'kept out' : isSameItem(known, call) ? accepted(call) : refused;
    }
    if (!mayBeStored(result.reason) || (await this.#keepOut(call))) {
      return refused;
    }
    // It has an outcome. That of an earlier request may have kept it out.
    return origin.resumed && isKeptOut(await this.#find(call, origin)) ? refused : accepted(call);
  }

  /** The call that has the id, as an earlier request has left it. */
  async #find(call: Call, { caller }: BatchOrigin): Promise<Call | Outcome | undefined> {
    const { callId, owner } = addressOf(identityOf(call));
    // A part of a batch makes that many lookups at once, and is limited itself.
    const found = await this.#options.calls.find({ callId, owner }, { name: caller.name, hasPlace: true });
    return found && (found.kind === 'active' ? found.call : found.outcome);
  }

  /**
   * The broker may have the call, or get it later. With this outcome, which has no mark, it is never counted. False if
   * it has an outcome already.
   */
  async #keepOut(call: Call): Promise<boolean> {
    const { batch: _, ...uncounted } = call;
    const cancelled = toCancelled(uncounted, { now: this.#options.now(), held: undefined, maxRetries: 0 });
    const outcome = { ...cancelled, reason: notAccepted };
    const result = await this.#options.store.recordOutcome(outcome, emptyBody);
    if (result.kind === 'refused' && result.reason !== 'conflict') {
      throw new RefusalError({ ...toQueueRefusal(result.reason), reason: result.detail });
    }
    return result.kind === 'stored';
  }
}

interface ItemOptions extends AcceptOptions {
  readonly clientChoseId: boolean;
}

/** The items of one part that wait for those before them which have the same flow key. */
class Lines {
  readonly #last = new Map<string, Promise<void>>();

  /** The place of the next item; undefined for one without a key, and for one that joins the others later. */
  join(call: Call): AcceptOptions['place'] {
    const flow = call.notBefore === undefined ? flowPlaceOf(call) : undefined;
    if (flow === undefined) {
      return undefined;
    }
    const name = `${flow.queue}/${flow.id}`;
    const before = this.#last.get(name) ?? Promise.resolve();
    let onSent = (): void => {};
    const sent = new Promise<void>((resolve) => {
      onSent = resolve;
    });
    // An item that is refused may be known before those in front of it are on their way.
    this.#last.set(
      name,
      before.then(() => sent),
    );
    return { before, onSent };
  }
}

function isKeptOut(known: Call | Outcome | undefined): boolean {
  return known !== undefined && 'reason' in known && known.reason === notAccepted;
}

/** Whether a call was stored for the same item, by an earlier request. */
function isSameItem(known: Call | Outcome | undefined, { batch }: Call): boolean {
  return known?.batch?.id === batch?.id && known?.batch?.index === batch?.index;
}

function following(draft: CallDraft, parentId: string): CallDraft {
  const { headers } = draft;
  const { origin } = headers;
  return { ...draft, headers: { ...headers, origin: { ...origin, parentId: origin.parentId ?? parentId } } };
}

/** The headers of one list that are not in the other. Both have names and values in turn. */
function without(headers: readonly string[], others: readonly string[]): readonly string[] {
  if (others.length === 0) {
    return headers;
  }
  const names = new Set(others.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()));
  return headers.filter((_, at) => !names.has((headers[at - (at % 2)] ?? '').toLowerCase()));
}

function accepted({ id: callId, function: name, queue, notBefore }: Call): BatchItem {
  return { callId, function: name, queue, ...(notBefore !== undefined && { scheduled: true as const }) };
}

function problem(refused: Refusal): BatchItem {
  return { problem: toProblem(refused) };
}
